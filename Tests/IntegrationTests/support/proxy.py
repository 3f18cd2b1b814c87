"""A TCP proxy that can hold bytes back, delay them, change them, or cut its connections."""

import contextlib
import random
import select
import socket
import threading
import time

PIECE = 1 << 16
# How long a thread waits before it looks again whether the proxy's ways have changed.
LOOK = 0.005


class Proxy:
    def __init__(self, target, seed=None):
        self.seed = random.randrange(1 << 32) if seed is None else seed
        print(f"proxy: seed {self.seed}")
        self.target = target
        # Nothing goes either way, and connections stay.
        self.stalls = False
        # New connections are refused at once, and those that are there are cut.
        self.refuses = False
        # Seconds that every piece takes longer.
        self.delay = 0.0
        # About one in so many of the server's bytes is changed; 0: none.
        self.corrupts_one_in = 0
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def behaving(self, **ways):
        """Sets some of its ways for the time of a block."""
        before = {name: getattr(self, name) for name in ways}
        for name, value in ways.items():
            setattr(self, name, value)
        if self.refuses:
            self.cut()
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def cut(self):
        """Ends all connections that are there now."""
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.stalls = False
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            if self.refuses:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                return
            with server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open |= {client, server}
                try:
                    self._pass_on(client, server)
                except OSError:
                    pass
                finally:
                    with self._lock:
                        self._open -= {client, server}

    def _pass_on(self, client, server):
        other = {client: server, server: client}
        while True:
            if self.stalls:
                time.sleep(LOOK)
                continue
            ready, _, _ = select.select([client, server], [], [], 0.1)
            for end in ready:
                piece = end.recv(PIECE)
                if not piece:
                    return
                while self.stalls:
                    time.sleep(LOOK)
                if self.delay:
                    time.sleep(self.delay)
                other[end].sendall(self._damaged(piece) if end is server else piece)

    def _damaged(self, piece):
        if not self.corrupts_one_in:
            return piece
        changed = bytearray(piece)
        with self._lock:
            for index in range(len(changed)):
                if self._random.random() * self.corrupts_one_in < 1:
                    changed[index] = self._random.randrange(256)
        return bytes(changed)
