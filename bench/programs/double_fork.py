import os

if 'BENCH_IMPORTS' in os.environ:
    import imports

if os.fork() > 0:
    os._exit(0)
os.setsid()
if os.fork() > 0:
    os._exit(0)
os.chdir('/')
os.umask(0)
null = os.open(os.devnull, os.O_RDWR)
for fd in range(3):
    os.dup2(null, fd)
os.write(os.open(os.environ['BENCH_FIFO'], os.O_WRONLY), b'up\n')
