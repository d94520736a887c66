"""OCSP responses that are stapled, with openssl as the responder and as the client."""
import json
import os
import subprocess

import pytest

from pki import Pki
from rig import tls_listener


@pytest.fixture
def pki(tmp_path):
    return Pki(str(tmp_path / "pki")).ensure()


def response(pki, certificate, *times):
    """The file with the CA's answer about a certificate; without a time for the next one it is old at once."""
    def openssl(*words):
        subprocess.run(["openssl", "ocsp", *words], cwd=pki.dir, check=True, capture_output=True, timeout=20)
    openssl("-issuer", "ca.pem", "-cert", certificate + ".pem", "-no_nonce", "-reqout", "request.der")
    path = pki.path("%s-%d.der" % (certificate, len(os.listdir(pki.dir))))
    openssl("-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-reqin", "request.der", "-respout", path, *times)
    return path


def serve(start, pki, staple, policy):
    files = {"certificate_chain": {"filename": pki.path("server.pem")}, "private_key": {"filename": pki.path("server.key")}}
    if staple:
        files["ocsp_staple"] = {"filename": staple}
    return start(listener=tls_listener({"ocsp_staple_policy": policy, "common_tls_context": {"tls_certificates": [files]}}))


def shake(proxy, *words):
    """Whether the handshake was good, and what came of the staple."""
    done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % proxy.port, *words], input="", capture_output=True,
                          text=True, timeout=20)
    return "Cipher is (NONE)" not in done.stdout, "OCSP Response Status: successful" in done.stdout


def counts(proxy):
    return tuple(proxy.stat("listener.in.ssl.ocsp_staple_" + what) for what in ("requests", "responses", "omitted", "failed"))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_valid_response_is_stapled_for_who_asks(start, pki, version):
    proxy = serve(start, pki, response(pki, "server", "-ndays", "2"), "MUST_STAPLE")
    assert shake(proxy, version, "-status") == (True, True)
    assert shake(proxy, version) == (True, False)
    assert counts(proxy) == (1, 1, 0, 0)
    leaf = [c for entry in json.loads(proxy.admin("/certs")[1])["certificates"] for c in entry["cert_chain"]][0]
    assert leaf["ocsp_details"]["valid_from"] < leaf["ocsp_details"]["expiration"]
    assert 86400 < proxy.stat("server.seconds_until_first_ocsp_response_expiring") <= 2 * 86400


@pytest.mark.parametrize("policy, staple, good, counted", [
    ("LENIENT_STAPLING", True, True, (1, 0, 1, 0)), ("LENIENT_STAPLING", False, True, (1, 0, 1, 0)),
    ("STRICT_STAPLING", True, False, (1, 0, 0, 1)), ("STRICT_STAPLING", False, True, (1, 0, 1, 0)),
    ("MUST_STAPLE", True, False, (1, 0, 0, 1))])
def test_without_a_valid_one_the_policy_decides(start, pki, policy, staple, good, counted):
    proxy = serve(start, pki, response(pki, "server") if staple else None, policy)
    assert shake(proxy, "-status") == (good, False)
    assert counts(proxy) == counted
    assert shake(proxy) == (True, False)        # it does not ask


def test_a_response_for_another_certificate_is_refused(start, pki):
    with pytest.raises(AssertionError, match="(?i)ocsp response"):
        serve(start, pki, response(pki, "server2", "-ndays", "2"), "LENIENT_STAPLING")
