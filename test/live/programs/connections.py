# Once a line comes in: sends 5000 bytes through a TCP connection to itself and 3000 back, prints what
# ss says of both ends, and closes it. Then one connect that is refused, and one that nobody answers:
# to a socket whose queue of connections is full.
import socket
import subprocess
import sys
import threading
import time

server = socket.create_server(("127.0.0.1", 0), backlog=5)
full = socket.create_server(("127.0.0.1", 0), backlog=0)
fillers = [socket.socket() for _ in range(3)]
for filler in fillers:
    filler.setblocking(False)
    try:
        filler.connect(full.getsockname())
    except BlockingIOError:
        pass
time.sleep(0.2)
print("ready", flush=True)
sys.stdin.readline()


def serve():
    end, _ = server.accept()
    left = 5000
    while left:
        left -= len(end.recv(left))
    end.sendall(b"y" * 3000)
    while end.recv(1):
        pass
    end.close()


thread = threading.Thread(target=serve)
thread.start()
client = socket.create_connection(server.getsockname())
client.sendall(b"x" * 5000)
left = 3000
while left:
    left -= len(client.recv(left))
time.sleep(0.2)
port = client.getsockname()[1]
told = subprocess.run(
    ["ss", "-tinH", "sport", "=", f":{port}"], capture_output=True, text=True, check=True
).stdout
print(f"port {port} {' '.join(told.split())}", flush=True)
client.close()
thread.join()
try:
    socket.create_connection(("127.0.0.1", 1))
except ConnectionRefusedError:
    pass
last = socket.socket()
last.setblocking(False)
try:
    last.connect(full.getsockname())
except BlockingIOError:
    pass
print(f"silent {full.getsockname()[1]}", flush=True)
time.sleep(120)
