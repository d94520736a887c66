"""What a compliance policy allows, with openssl as the client."""
import subprocess

import pytest

from pki import Pki
from rig import tls_listener


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path / "pki")).ensure()


def serve(start, pki, **parameters):
    files = {"certificate_chain": {"filename": pki.path("server.pem")}, "private_key": {"filename": pki.path("server.key")}}
    return start(listener=tls_listener({"common_tls_context": {"tls_params": parameters, "tls_certificates": [files]}}))


def shake(proxy, *words):
    """The cipher, or nothing when there was no handshake."""
    told = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % proxy.port, *words], input="", capture_output=True,
                          text=True, timeout=20).stdout
    cipher = told.split("Cipher is ", 1)[1].split()[0]
    return None if cipher == "(NONE)" else cipher


# What the policy allows, what stands beside it notwithstanding; without it all of these are good.
ALLOWED = {
    ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"): "TLS_AES_128_GCM_SHA256",
    ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-384"): "TLS_AES_256_GCM_SHA384",
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"): "ECDHE-ECDSA-AES256-GCM-SHA384",
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"): "ECDHE-ECDSA-AES128-GCM-SHA256",
}
REFUSED = [
    ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), ("-tls1_3", "-groups", "X25519"),
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
]


def test_fips_202205(start, pki):
    proxy = serve(start, pki, compliance_policies=["FIPS_202205"], ecdh_curves=["X25519"], tls_maximum_protocol_version="TLSv1_2")
    assert {words: shake(proxy, *words) for words in ALLOWED} == ALLOWED
    assert [words for words in REFUSED if shake(proxy, *words)] == []
    free = serve(start, pki)
    assert [words for words in REFUSED if not shake(free, *words)] == []


def test_a_key_exchange_that_is_not_here(start, pki):
    proxy = serve(start, pki, ecdh_curves=["X25519MLKEM768", "P-384"])
    assert shake(proxy, "-groups", "P-384") and not shake(proxy, "-groups", "X25519")
    with open(proxy.log.name) as f:
        told = f.read()
    assert "ecdh_curves: not supported yet: the key exchange X25519MLKEM768" in told and "P-384" not in told
