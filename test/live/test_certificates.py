"""Certificates that are replaced in their folder while clients shake hands: no handshake fails, and a pair that does not fit stays out."""
import json
import os
import socket
import ssl
import subprocess
import threading

import pytest

from pki import Pki
from rig import TYPE, tls_listener, wait_for

HANDSHAKES, ROTATIONS, CLIENTS = 10_000, 100, 4


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path / "pki")).ensure()


class Folder:
    """Files of a secret as Kubernetes mounts them: one rename puts all of them in place."""

    def __init__(self, path, pki):
        self.path, self.pki, self.number = path, pki, 0
        os.makedirs(path)
        for name in ("tls.crt", "tls.key"):
            os.symlink("..data/" + name, os.path.join(path, name))

    def put(self, certificate, key):
        self.number += 1
        version = os.path.join(self.path, "..%d" % self.number)
        os.makedirs(version)
        for name, source in (("tls.crt", certificate + ".pem"), ("tls.key", key + ".key")):
            with open(self.pki.path(source)) as whole, open(os.path.join(version, name), "w") as out:
                out.write(whole.read())
        link = os.path.join(self.path, "..data_tmp")
        os.symlink(os.path.basename(version), link)
        os.rename(link, os.path.join(self.path, "..data"))


@pytest.fixture
def folder(tmp_path, pki):
    made = Folder(str(tmp_path / "live"), pki)
    made.put("server", "server")
    return made


@pytest.fixture
def proxy(start, tmp_path, folder):
    secret = {"resources": [{"@type": TYPE + "transport_sockets.tls.v3.Secret", "name": "cert", "tls_certificate": {
        "watched_directory": {"path": folder.path},
        "certificate_chain": {"filename": folder.path + "/tls.crt"}, "private_key": {"filename": folder.path + "/tls.key"}}}]}
    (tmp_path / "sds.json").write_text(json.dumps(secret))
    return start(listener=tls_listener({"common_tls_context": {"tls_certificate_sds_secret_configs": [{
        "name": "cert", "sds_config": {"resource_api_version": "V3", "path_config_source": {"path": str(tmp_path / "sds.json")}}}]}}))


class Clients:
    """Threads that shake hands until they are told to stop; `pace` lets so many begin."""

    def __init__(self, proxy, known):
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.proxy, self.known, self.done, self.failed = proxy, known, 0, []
        self.seen = set()
        self.lock, self.pace = threading.Lock(), threading.Semaphore(0)
        for _ in range(CLIENTS):
            threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.pace.acquire()
            try:
                with socket.create_connection(("127.0.0.1", self.proxy.port), 20) as raw, self.context.wrap_socket(raw) as tls:
                    der = tls.getpeercert(True)
                failure = None if der in self.known else "an unknown certificate"
            except OSError as error:
                der, failure = None, error
            with self.lock:
                self.done += 1
                self.seen.add(der)
                if failure:
                    self.failed.append(failure)

    def wait(self, done):
        assert wait_for(lambda: self.done >= done, 60), (self.done, self.failed[:3])


def serial(pki, name):
    out = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", pki.path(name + ".pem")], capture_output=True, text=True).stdout
    return out.strip().split("=")[1].lower()


def listed(proxy):
    """Serial numbers of /certs."""
    certificates = json.loads(proxy.admin("/certs")[1])["certificates"]
    return {one["serial_number"].lower().lstrip("0") for entry in certificates for one in entry["cert_chain"]}


def test_no_handshake_fails_while_certificates_rotate(proxy, folder, pki):
    names = ("server", "server2")
    serials = {name: serial(pki, name).lstrip("0") for name in names}
    clients = Clients(proxy, {pki.der(name) for name in names})
    good = bad = 0
    inforce = "server"
    refused = "sds.cert.key_rotation_failed"
    for rotation in range(ROTATIONS):
        clients.pace.release(HANDSHAKES // ROTATIONS)
        clients.wait(rotation * HANDSHAKES // ROTATIONS + HANDSHAKES // ROTATIONS // 4)      # in the middle of them
        if rotation % 10 == 9:
            before = proxy.stat(refused)
            folder.put("client", "server")      # the key is another one's
            bad += 1
            assert wait_for(lambda: proxy.stat(refused) > before), before
        else:
            inforce = names[(good + 1) % 2]
            folder.put(inforce, inforce)
            good += 1
            assert wait_for(lambda: proxy.stat("listener.in.server_ssl_socket_factory.ssl_context_update_by_sds") >= good + 1)
        assert listed(proxy) == {serials[inforce]}
    clients.wait(HANDSHAKES)
    assert not clients.failed, (len(clients.failed), clients.failed[:3])
    assert clients.seen == clients.known
    assert wait_for(lambda: proxy.stat("listener.in.ssl.handshake") == HANDSHAKES), proxy.stat("listener.in.ssl.handshake")
    assert proxy.stat("listener.in.ssl.connection_error") == 0
    with open(proxy.log.name) as log:
        lines = [line for line in log if "secret 'cert'" in line]
    # Files that change one after the other may be looked at twice.
    assert len(lines) >= bad == 10 and all("the old one stays" in line for line in lines), lines[:3]
