# Imports that take as many ms as BENCH_IMPORTS says: one module of the
# standard library, loaded afresh again and again, and kept.
import importlib
import os
import sys
import time

end = time.monotonic() + int(os.environ['BENCH_IMPORTS']) / 1000
kept = []
while time.monotonic() < end:
    kept.append(importlib.import_module('_pydecimal'))
    del sys.modules['_pydecimal']
