#!/bin/sh
# Writes its pid, and stays.
echo $$
exec sleep 1000
