// Operators about the connections on both sides: addresses, hosts, TLS.
#include <algorithm>

#include "base/strings.h"
#include "format/operators.h"
#include "net/address.h"

namespace sluice::format {
namespace {

// IPv4 is written in place; the rest is rarer and may allocate.
void put_ip(std::string& to, const net::Address& address) {
  if (address.kind() != net::AddressKind::kIp4) {
    to += address.ip_to_string();
    return;
  }
  const std::string_view bytes = address.ip_bytes();
  for (size_t i = 0; i < 4; ++i) {
    if (i != 0) {
      to += '.';
    }
    put_number(to, static_cast<uint8_t>(bytes[i]));
  }
}

bool put_address(std::string& to, const net::Address* address) {
  if (address == nullptr || address->kind() == net::AddressKind::kNone) {
    return false;
  }
  if (address->kind() != net::AddressKind::kIp4) {
    to += address->to_string();
    return true;
  }
  put_ip(to, *address);
  to += ':';
  return put_number(to, address->port());
}

constexpr uint32_t kNoPrefix = UINT32_MAX;

bool put_without_port(std::string& to, const net::Address* address, const Piece& piece) {
  if (address == nullptr || address->kind() == net::AddressKind::kNone) {
    return false;
  }
  if (piece.option == kNoPrefix || !address->is_ip()) {
    put_ip(to, *address);
    return true;
  }
  const auto bits = static_cast<uint32_t>(address->ip_bytes().size() * 8);
  const uint32_t prefix = std::min(piece.option, bits);
  put_ip(to, address->masked(prefix));
  to += '/';
  return put_number(to, prefix);
}

// A number in brackets is the prefix length of the network to show; Envoy ignores anything else.
Result<void> prepare_prefix(std::string_view argument, Piece& piece) {
  piece.option = parse_number<uint32_t>(argument).value_or(kNoPrefix);
  return {};
}

bool put_port(std::string& to, const net::Address* address) {
  return address != nullptr && address->is_ip() && put_number(to, address->port());
}

// Which address an operator is about.
const net::Address* remote(const Facts& facts) { return facts.remote; }
const net::Address* direct_remote(const Facts& facts) { return facts.direct_remote; }
const net::Address* local(const Facts& facts) { return facts.local; }
const net::Address* direct_local(const Facts& facts) {
  return facts.direct_local != nullptr ? facts.direct_local : facts.local;
}
const net::Address* upstream_local(const Facts& facts) { return &facts.upstream_local; }
const net::Address* upstream_host(const Facts& facts) { return facts.upstream_host; }
bool connected(const Facts& facts) {
  return facts.upstream_connected != kUnset || facts.upstream_local.kind() != net::AddressKind::kNone;
}
// Of a connection that there was.
const net::Address* upstream_remote(const Facts& facts) {
  if (!connected(facts)) {
    return nullptr;
  }
  return facts.upstream_elsewhere != nullptr ? facts.upstream_elsewhere : facts.upstream_host;
}

template <const net::Address* (*Of)(const Facts&)>
bool address(std::string& to, const Facts& facts, const Piece&) {
  return put_address(to, Of(facts));
}
template <const net::Address* (*Of)(const Facts&)>
bool without_port(std::string& to, const Facts& facts, const Piece& piece) {
  return put_without_port(to, Of(facts), piece);
}
template <const net::Address* (*Of)(const Facts&)>
bool port(std::string& to, const Facts& facts, const Piece&) {
  return put_port(to, Of(facts));
}

bool put_bare(std::string& to, const net::Address* address) {
  Piece whole;
  whole.option = kNoPrefix;
  return put_without_port(to, address, whole);
}

bool put_name_without_port(std::string& to, const UpstreamHost& host) {
  if (host.name.empty()) {
    return put_bare(to, host.address);
  }
  const size_t colon = host.name.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && parse_number<uint16_t>(host.name.substr(colon + 1)).has_value();
  return put_text(to, has_port ? host.name.substr(0, colon) : host.name);
}

bool downstream_failure(std::string& to, const Facts& facts, const Piece&) {
  return put_without_blanks(to, facts.downstream_failure);
}

template <auto Tls, auto Member>
bool tls(std::string& to, const Facts& facts, const Piece&) {
  return facts.*Tls != nullptr && put_text(to, (facts.*Tls)->texts().*Member);
}
constexpr auto kDown = &Facts::downstream_tls;
constexpr auto kUp = &Facts::upstream_tls;

// Who was tried. Of a request only the last host is told, and only when there was a connection to it.
using PutHost = bool (*)(std::string& to, const UpstreamHost& host);

template <PutHost Put>
bool attempted(std::string& to, const Facts& facts, const Piece&) {
  if (facts.upstream_host == nullptr || (facts.request != nullptr && !connected(facts))) {
    return false;
  }
  for (const UpstreamHost& host : facts.attempted) {
    Put(to, host);
    to += ',';
  }
  return Put(to, {facts.upstream_host, facts.upstream_hostname});
}

bool put_host(std::string& to, const UpstreamHost& host) { return put_address(to, host.address); }
bool put_host_without_port(std::string& to, const UpstreamHost& host) { return put_bare(to, host.address); }
bool put_name(std::string& to, const UpstreamHost& host) {
  return put_text(to, host.name) || put_address(to, host.address);
}
bool host_name(std::string& to, const Facts& facts, const Piece&) {
  return put_name(to, {facts.upstream_host, facts.upstream_hostname});
}
bool host_name_without_port(std::string& to, const Facts& facts, const Piece&) {
  return put_name_without_port(to, {facts.upstream_host, facts.upstream_hostname});
}

bool connections_attempted(std::string& to, const Facts& facts, const Piece&) {
  return connected(facts) && put_number(to, facts.upstream_connection_id);
}

// How a connection ended. The connection of a request outlives it, so that a request's log does not know.
bool downstream_close(std::string& to, const Facts& facts, const Piece&) {
  return put_text(to, facts.client_reset ? "RemoteReset" : "Normal");
}
bool upstream_close(std::string& to, const Facts& facts, const Piece&) {
  return (facts.request == nullptr || facts.attempts != 0) && put_text(to, "Normal");
}
// Only of a connection that was there.
bool upstream_close_reason(std::string& to, const Facts& facts, const Piece&) {
  return connected(facts) && put_text(to, facts.close_reason);
}

#define SLUICE_ADDRESS(name, of)                                                                           \
  {name "_ADDRESS", kNoArgument, kWhole, kText, address<of>},                                              \
      {name "_ADDRESS_WITHOUT_PORT", kMayHaveArgument, kWhole, kText, without_port<of>, prepare_prefix}, { \
    name "_PORT", kNoArgument, kWhole, kNumber, port<of>                                                   \
  }
#define SLUICE_TLS(name, side, member) \
  { name, kNoArgument, kWhole, kText, tls<side, &net::TlsTexts::member> }

constexpr Operator kOperators[] = {
    SLUICE_ADDRESS("DOWNSTREAM_REMOTE", remote),
    SLUICE_ADDRESS("DOWNSTREAM_DIRECT_REMOTE", direct_remote),
    SLUICE_ADDRESS("DOWNSTREAM_LOCAL", local),
    SLUICE_ADDRESS("DOWNSTREAM_DIRECT_LOCAL", direct_local),
    SLUICE_ADDRESS("UPSTREAM_LOCAL", upstream_local),
    SLUICE_ADDRESS("UPSTREAM_REMOTE", upstream_remote),
    {"UPSTREAM_HOST", kNoArgument, kWhole, kText, address<upstream_host>},
    {"UPSTREAM_HOST_NAME", kNoArgument, kWhole, kText, host_name},
    {"UPSTREAM_HOST_NAME_WITHOUT_PORT", kNoArgument, kWhole, kText, host_name_without_port},
    {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", kNoArgument, kWhole, kText, downstream_failure},
    {"UPSTREAM_HOSTS_ATTEMPTED", kNoArgument, kWhole, kText, attempted<put_host>},
    {"UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", kNoArgument, kWhole, kText, attempted<put_host_without_port>},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED", kNoArgument, kWhole, kText, attempted<put_name>},
    {"UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", kNoArgument, kWhole, kText, attempted<put_name_without_port>},
    {"UPSTREAM_CONNECTION_IDS_ATTEMPTED", kNoArgument, kWhole, kText, connections_attempted},
    {"DOWNSTREAM_DETECTED_CLOSE_TYPE", kNoArgument, kWhole, kText, downstream_close},
    {"DOWNSTREAM_LOCAL_CLOSE_REASON", kNoArgument, kWhole, kText, text<&Facts::close_reason>},
    {"UPSTREAM_DETECTED_CLOSE_TYPE", kNoArgument, kWhole, kText, upstream_close},
    {"UPSTREAM_LOCAL_CLOSE_REASON", kNoArgument, kWhole, kText, upstream_close_reason},
    SLUICE_TLS("DOWNSTREAM_TLS_VERSION", kDown, version),
    SLUICE_TLS("DOWNSTREAM_TLS_GROUP", kDown, group),
    SLUICE_TLS("DOWNSTREAM_TLS_CIPHER", kDown, cipher),
    SLUICE_TLS("DOWNSTREAM_TLS_SESSION_ID", kDown, session_id),
    SLUICE_TLS("DOWNSTREAM_PEER_SUBJECT", kDown, peer_subject),
    SLUICE_TLS("DOWNSTREAM_PEER_ISSUER", kDown, peer_issuer),
    SLUICE_TLS("DOWNSTREAM_PEER_SERIAL", kDown, peer_serial),
    SLUICE_TLS("DOWNSTREAM_PEER_FINGERPRINT_256", kDown, peer_fingerprint_256),
    SLUICE_TLS("DOWNSTREAM_PEER_FINGERPRINT_1", kDown, peer_fingerprint_1),
    SLUICE_TLS("DOWNSTREAM_PEER_ISSUER_SERIAL", kDown, peer_issuer_serial),
    SLUICE_TLS("DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", kDown, peer_issuer_fingerprint_256),
    SLUICE_TLS("DOWNSTREAM_PEER_CERT", kDown, peer_certificate),
    SLUICE_TLS("DOWNSTREAM_PEER_URI_SAN", kDown, peer_uri_san),
    SLUICE_TLS("DOWNSTREAM_PEER_DNS_SAN", kDown, peer_dns_san),
    SLUICE_TLS("DOWNSTREAM_PEER_IP_SAN", kDown, peer_ip_san),
    SLUICE_TLS("DOWNSTREAM_PEER_EMAIL_SAN", kDown, peer_email_san),
    SLUICE_TLS("DOWNSTREAM_PEER_OTHERNAME_SAN", kDown, peer_othername_san),
    SLUICE_TLS("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", kDown, peer_chain_fingerprints_256),
    SLUICE_TLS("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", kDown, peer_chain_fingerprints_1),
    SLUICE_TLS("DOWNSTREAM_PEER_CHAIN_SERIALS", kDown, peer_chain_serials),
    SLUICE_TLS("DOWNSTREAM_LOCAL_SUBJECT", kDown, local_subject),
    SLUICE_TLS("DOWNSTREAM_LOCAL_URI_SAN", kDown, local_uri_san),
    SLUICE_TLS("DOWNSTREAM_LOCAL_DNS_SAN", kDown, local_dns_san),
    SLUICE_TLS("DOWNSTREAM_LOCAL_IP_SAN", kDown, local_ip_san),
    SLUICE_TLS("DOWNSTREAM_LOCAL_EMAIL_SAN", kDown, local_email_san),
    SLUICE_TLS("DOWNSTREAM_LOCAL_OTHERNAME_SAN", kDown, local_othername_san),
    SLUICE_TLS("TLS_JA3_FINGERPRINT", kDown, ja3),
    SLUICE_TLS("TLS_JA4_FINGERPRINT", kDown, ja4),
    SLUICE_TLS("UPSTREAM_TLS_VERSION", kUp, version),
    SLUICE_TLS("UPSTREAM_TLS_GROUP", kUp, group),
    SLUICE_TLS("UPSTREAM_SERVER_NAME", kUp, server_name),
    SLUICE_TLS("UPSTREAM_TLS_CIPHER", kUp, cipher),
    SLUICE_TLS("UPSTREAM_TLS_SESSION_ID", kUp, session_id),
    SLUICE_TLS("UPSTREAM_PEER_SUBJECT", kUp, peer_subject),
    SLUICE_TLS("UPSTREAM_PEER_ISSUER", kUp, peer_issuer),
    SLUICE_TLS("UPSTREAM_PEER_CERT", kUp, peer_certificate),
    SLUICE_TLS("UPSTREAM_PEER_URI_SAN", kUp, peer_uri_san),
    SLUICE_TLS("UPSTREAM_PEER_DNS_SAN", kUp, peer_dns_san),
    SLUICE_TLS("UPSTREAM_PEER_IP_SAN", kUp, peer_ip_san),
    SLUICE_TLS("UPSTREAM_LOCAL_URI_SAN", kUp, local_uri_san),
    SLUICE_TLS("UPSTREAM_LOCAL_DNS_SAN", kUp, local_dns_san),
    SLUICE_TLS("UPSTREAM_LOCAL_IP_SAN", kUp, local_ip_san),
};
#undef SLUICE_ADDRESS
#undef SLUICE_TLS

}  // namespace

std::span<const Operator> connection_operators() { return kOperators; }

}  // namespace sluice::format
