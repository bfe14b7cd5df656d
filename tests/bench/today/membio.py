# SPDX-License-Identifier: MIT
"""The scenario of client_auth.lua as people write it for Python's ssl module, with memory BIOs:
  membio.py CERTIFICATES COUNT"""
import ssl
import sys

directory, count = sys.argv[1], int(sys.argv[2])
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def context(purpose, name, version):
    made = ssl.SSLContext(purpose)
    made.minimum_version = made.maximum_version = version
    made.load_cert_chain(f"{directory}/{name}/chain.pem", f"{directory}/{name}/key.pem")
    made.load_verify_locations(f"{directory}/root.pem")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


# Once for all handshakes, as a fast test suite would.
contexts = [
    (context(ssl.PROTOCOL_TLS_CLIENT, "client", version),
     context(ssl.PROTOCOL_TLS_SERVER, "server", version))
    for version in VERSIONS
]


def handshake(number):
    client_context, server_context = contexts[number % 2]
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="server.example")
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            break
    assert not waiting, "the handshake stalled"
    assert client.version() == server.version() == ("TLSv1.2", "TLSv1.3")[number % 2]
    assert (("DNS", "server.example"),) == client.getpeercert()["subjectAltName"]
    assert ((("commonName", "alice"),),) == server.getpeercert()["subject"]


for turn in range(count):
    handshake(turn)
