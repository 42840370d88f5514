# A name server of its own on 127.0.0.1 that takes 300 ms for an answer and says nothing at all to
# some. Once a line comes in: looks up five names that it does not know, and one that gets no answer.
import socket
import sys
import threading
import time

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))


def answer(query, asker):
    time.sleep(0.3)
    # The same question back, with "no such name".
    server.sendto(query[:2] + b"\x81\x83" + query[4:], asker)


def serve():
    while True:
        query, asker = server.recvfrom(512)
        if b"silent" not in query:
            threading.Thread(target=answer, args=(query, asker)).start()


def ask(name):
    try:
        socket.getaddrinfo(name, 80, socket.AF_INET)
    except socket.gaierror:
        pass


threading.Thread(target=serve, daemon=True).start()
print("ready", flush=True)
sys.stdin.readline()
for each in range(5):
    ask(f"slow-{each}.example.com.")
ask("silent.example.com.")
time.sleep(120)
