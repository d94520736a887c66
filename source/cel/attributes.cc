#include "cel/attributes.h"

#include <algorithm>

#include "base/strings.h"
#include "format/grpc_status.h"

namespace sluice::cel {
namespace {

using format::Facts;
using format::kUnset;
using Keeper = Value::Keeper;
using Found = std::optional<Value>;

constexpr int64_t kSecond = 1'000'000'000;

Seconds seconds_of(Duration duration) {
  int64_t whole = duration.count() / kSecond, rest = duration.count() % kSecond;
  if (rest < 0) {
    --whole;
    rest += kSecond;
  }
  return {whole, static_cast<int32_t>(rest)};
}

Found text_or_nothing(std::string_view text) { return text.empty() ? std::nullopt : Found(Value::string(text)); }
Found count_of(uint64_t number) { return Value::integer(static_cast<int64_t>(number)); }
Found span(MonotonicTime from, MonotonicTime to) {
  return from == kUnset || to == kUnset ? std::nullopt : Found(Value::duration(seconds_of(to - from)));
}

Found address(const net::Address* address, Evaluation& evaluation) {
  if (address == nullptr || address->kind() == net::AddressKind::kNone) return std::nullopt;
  return Value::string(evaluation.keep(address->to_string()));
}

Found port(const net::Address* address) {
  return address == nullptr || !address->is_ip() ? std::nullopt : count_of(address->port());
}

// ---- headers

const http::HeaderMap* fields_of(Keeper whose, const Facts& facts) {
  switch (whose) {
    case Keeper::kRequestHeaders:
      return facts.request == nullptr ? nullptr : &facts.request->fields;
    case Keeper::kResponseHeaders:
      return facts.response == nullptr ? nullptr : &facts.response->fields;
    default:
      return facts.response_trailers;
  }
}

struct Pseudo {
  std::string_view name, value;
};

// Those that are there.
std::vector<Pseudo> pseudo_headers(Keeper whose, const Facts& facts) {
  std::vector<Pseudo> out;
  if (whose == Keeper::kRequestHeaders && facts.request != nullptr) {
    const http::RequestHeaders& request = *facts.request;
    out = {{":method", request.method},
           {":path", request.path},
           {":authority", request.authority},
           {":scheme", request.scheme}};
    std::erase_if(out, [](const Pseudo& one) { return one.value.empty(); });
  } else if (whose == Keeper::kResponseHeaders && facts.response != nullptr) {
    out = {{":status", http::status_text(facts.response->status)}};
  }
  return out;
}

// Of names and values alone.
uint64_t bytes_of(Keeper whose, const Facts& facts) {
  uint64_t bytes = 0;
  for (const Pseudo& one : pseudo_headers(whose, facts)) bytes += one.name.size() + one.value.size();
  if (const http::HeaderMap* fields = fields_of(whose, facts)) {
    for (const http::HeaderField& field : *fields) bytes += field.name().size() + field.value().size();
  }
  return bytes;
}

Found request_field(std::string_view name, const Evaluation& evaluation) {
  const Facts& facts = evaluation.facts;
  const std::string_view value = facts.request == nullptr ? std::string_view() : facts.request->get(name);
  return value.data() == nullptr ? std::nullopt : Found(Value::string(value));
}

// ---- request

std::string_view path_of(const Facts& facts) {
  return facts.request == nullptr ? std::string_view() : facts.request->path;
}

Found request_url_path(Evaluation& e) {
  if (e.facts.request == nullptr) return std::nullopt;
  return Value::string(path_of(e.facts).substr(0, path_of(e.facts).find('?')));
}

Found request_query(Evaluation& e) {
  if (e.facts.request == nullptr) return std::nullopt;
  const std::string_view path = path_of(e.facts);
  const size_t mark = path.find('?');
  if (mark == std::string_view::npos) return Value::string("");
  const std::string_view query = path.substr(mark + 1);
  return Value::string(query.substr(0, query.find('#')));
}

Found request_size(Evaluation& e) {
  const Found length = request_field("content-length", e);
  if (!length) return count_of(e.facts.bytes_received);
  const auto number = parse_number<uint64_t>(length->text);
  return number ? count_of(*number) : std::nullopt;
}

Found request_time(Evaluation& e) {
  return Value::timestamp(seconds_of(std::chrono::microseconds(e.facts.start_wall.us)));
}

template <std::string_view http::RequestHeaders::*Member>
Found request_part(Evaluation& e) {
  return e.facts.request == nullptr ? std::nullopt : text_or_nothing(e.facts.request->*Member);
}

constexpr Attribute kRequest[] = {
    {Root::kRequest, "path", request_part<&http::RequestHeaders::path>},
    {Root::kRequest, "url_path", request_url_path},
    {Root::kRequest, "query", request_query},
    {Root::kRequest, "host", request_part<&http::RequestHeaders::authority>},
    {Root::kRequest, "scheme", request_part<&http::RequestHeaders::scheme>},
    {Root::kRequest, "method", request_part<&http::RequestHeaders::method>},
    {Root::kRequest, "headers", [](Evaluation&) -> Found { return Value::headers(Keeper::kRequestHeaders); }},
    {Root::kRequest, "headers_bytes",
     [](Evaluation& e) { return count_of(bytes_of(Keeper::kRequestHeaders, e.facts)); }},
    {Root::kRequest, "referer", [](Evaluation& e) { return request_field("referer", e); }},
    {Root::kRequest, "useragent", [](Evaluation& e) { return request_field("user-agent", e); }},
    {Root::kRequest, "id", [](Evaluation& e) { return request_field("x-request-id", e); }},
    {Root::kRequest, "time", request_time},
    {Root::kRequest, "duration", [](Evaluation& e) { return span(e.facts.start, e.facts.end); }},
    {Root::kRequest, "protocol",
     [](Evaluation& e) {
       return e.facts.has_protocol ? text_or_nothing(http::name_of(e.facts.protocol)) : std::nullopt;
     }},
    {Root::kRequest, "size", request_size},
    {Root::kRequest, "total_size",
     [](Evaluation& e) { return count_of(e.facts.bytes_received + bytes_of(Keeper::kRequestHeaders, e.facts)); }},
};

// ---- response

Found response_flags(Evaluation& e) {
  int64_t bits = 0;
  for (int i = 0; i < static_cast<int>(format::Flag::kCount); ++i) {
    if (e.facts.flags.has(static_cast<format::Flag>(i))) bits |= int64_t{1} << i;
  }
  return Value::integer(bits);
}

Found response_grpc_status(Evaluation& e) {
  if (e.facts.response_code == 0 && e.facts.response == nullptr) return std::nullopt;
  return count_of(format::grpc_status_or_mapped(e.facts));
}

constexpr Attribute kResponse[] = {
    {Root::kResponse, "code",
     [](Evaluation& e) { return e.facts.response_code == 0 ? std::nullopt : count_of(e.facts.response_code); }},
    {Root::kResponse, "code_details", [](Evaluation& e) { return text_or_nothing(e.facts.details); }},
    {Root::kResponse, "flags", response_flags},
    {Root::kResponse, "grpc_status", response_grpc_status},
    {Root::kResponse, "headers", [](Evaluation&) -> Found { return Value::headers(Keeper::kResponseHeaders); }},
    {Root::kResponse, "headers_bytes",
     [](Evaluation& e) { return count_of(bytes_of(Keeper::kResponseHeaders, e.facts)); }},
    {Root::kResponse, "trailers", [](Evaluation&) -> Found { return Value::headers(Keeper::kTrailers); }},
    {Root::kResponse, "size", [](Evaluation& e) { return count_of(e.facts.bytes_sent); }},
    {Root::kResponse, "total_size",
     [](Evaluation& e) {
       return count_of(e.facts.bytes_sent + bytes_of(Keeper::kResponseHeaders, e.facts) +
                       bytes_of(Keeper::kTrailers, e.facts));
     }},
    {Root::kResponse, "backend_latency",
     [](Evaluation& e) { return span(e.facts.upstream_tx_start, e.facts.upstream_rx_end); }},
};

// ---- TLS, of either side

using net::TlsTexts;

template <auto Side, auto Member>
Found tls(Evaluation& e) {
  const net::TlsFacts* facts = e.facts.*Side;
  return facts == nullptr ? std::nullopt : Found(Value::string(facts->texts().*Member));
}

// The first of several names.
template <auto Side, auto Member>
Found first_name(Evaluation& e) {
  const net::TlsFacts* facts = e.facts.*Side;
  if (facts == nullptr) return std::nullopt;
  const std::string_view names = facts->texts().*Member;
  return text_or_nothing(names.substr(0, names.find(',')));
}

template <auto Side, auto Member>
Found first_of(Evaluation& e) {
  const net::TlsFacts* facts = e.facts.*Side;
  if (facts == nullptr) return std::nullopt;
  const std::span<const std::string> names = facts->texts().*Member;
  return names.empty() ? std::nullopt : Found(Value::string(names.front()));
}

template <auto Side, auto Member>
Found tls_or_nothing(Evaluation& e) {
  const net::TlsFacts* facts = e.facts.*Side;
  return facts == nullptr ? std::nullopt : text_or_nothing(facts->texts().*Member);
}

#define SLUICE_CEL_TLS(root, side)                                                                \
  {root, "tls_version", tls<side, &TlsTexts::version>},                                           \
      {root, "subject_local_certificate", tls<side, &TlsTexts::local_subject>},                   \
      {root, "subject_peer_certificate", tls<side, &TlsTexts::peer_subject>},                     \
      {root, "uri_san_local_certificate", first_of<side, &TlsTexts::local_uris>},                 \
      {root, "uri_san_peer_certificate", first_of<side, &TlsTexts::peer_uris>},                   \
      {root, "dns_san_local_certificate", first_name<side, &TlsTexts::local_dns_san>},            \
      {root, "dns_san_peer_certificate", first_of<side, &TlsTexts::peer_dns_names>}, {            \
    root, "sha256_peer_certificate_digest", tls_or_nothing<side, &TlsTexts::peer_fingerprint_256> \
  }

// ---- the two connections

Found mutual_tls(Evaluation& e) {
  return Value::boolean(e.facts.downstream_tls != nullptr && e.facts.downstream_tls->peer_presented);
}

bool was_tried(const Facts& facts) { return facts.attempts != 0 || facts.upstream_host != nullptr; }

constexpr Attribute kConnection[] = {
    {Root::kConnection, "id", [](Evaluation& e) -> Found { return Value::natural_number(e.facts.connection_id); }},
    {Root::kConnection, "mtls", mutual_tls},
    {Root::kConnection, "requested_server_name",
     [](Evaluation& e) -> Found { return Value::string(e.facts.requested_server_name); }},
    {Root::kConnection, "termination_details",
     [](Evaluation& e) { return text_or_nothing(e.facts.termination_details); }},
    {Root::kConnection, "transport_failure_reason",
     [](Evaluation& e) { return text_or_nothing(e.facts.downstream_failure); }},
    SLUICE_CEL_TLS(Root::kConnection, &Facts::downstream_tls),
};

constexpr Attribute kUpstream[] = {
    {Root::kUpstream, "address", [](Evaluation& e) { return address(e.facts.upstream_host, e); }},
    {Root::kUpstream, "port", [](Evaluation& e) { return port(e.facts.upstream_host); }},
    {Root::kUpstream, "local_address", [](Evaluation& e) { return address(&e.facts.upstream_local, e); }},
    {Root::kUpstream, "transport_failure_reason",
     [](Evaluation& e) { return was_tried(e.facts) ? Found(Value::string(e.facts.upstream_failure)) : std::nullopt; }},
    {Root::kUpstream, "request_attempt_count",
     [](Evaluation& e) -> Found { return Value::natural_number(e.facts.attempts); }},
    {Root::kUpstream, "cx_pool_ready_duration",
     [](Evaluation& e) {
       return e.facts.pool_wait.count() < 0 ? std::nullopt : Found(Value::duration(seconds_of(e.facts.pool_wait)));
     }},
    {Root::kUpstream, "locality", nullptr},
    {Root::kUpstream, "num_endpoints", nullptr},
    SLUICE_CEL_TLS(Root::kUpstream, &Facts::upstream_tls),
};
#undef SLUICE_CEL_TLS

constexpr Attribute kPeers[] = {
    {Root::kSource, "address", [](Evaluation& e) { return address(e.facts.remote, e); }},
    {Root::kSource, "port", [](Evaluation& e) { return port(e.facts.remote); }},
    {Root::kDestination, "address", [](Evaluation& e) { return address(e.facts.local, e); }},
    {Root::kDestination, "port", [](Evaluation& e) { return port(e.facts.local); }},
};

// ---- where it went

const sluice::Metadata kNoMetadata;

// What has none is there, and empty.
template <auto Member>
Found metadata_of(bool is_there, Evaluation& e) {
  if (!is_there) return std::nullopt;
  return Value::metadata(e.facts.*Member == nullptr ? kNoMetadata : *(e.facts.*Member));
}

bool has_route(const Facts& facts) { return facts.request != nullptr && !facts.flags.has(format::Flag::kNoRouteFound); }

// Null for a host that has none.
Found host_metadata(Evaluation& e) {
  if (e.facts.upstream_host == nullptr) return std::nullopt;
  return e.facts.upstream_metadata == nullptr ? Value::null() : Value::metadata(*e.facts.upstream_metadata);
}

constexpr Attribute kXds[] = {
    {Root::kXds, "cluster_name", [](Evaluation& e) { return text_or_nothing(e.facts.cluster_raw); }},
    {Root::kXds, "cluster_metadata",
     [](Evaluation& e) { return metadata_of<&Facts::cluster_metadata>(!e.facts.cluster_raw.empty(), e); }},
    {Root::kXds, "route_name",
     [](Evaluation& e) { return has_route(e.facts) ? Found(Value::string(e.facts.route_name)) : std::nullopt; }},
    {Root::kXds, "route_metadata",
     [](Evaluation& e) { return metadata_of<&Facts::route_metadata>(has_route(e.facts), e); }},
    {Root::kXds, "virtual_host_metadata",
     [](Evaluation& e) { return metadata_of<&Facts::virtual_host_metadata>(has_route(e.facts), e); }},
    {Root::kXds, "upstream_host_metadata", host_metadata},
    {Root::kXds, "filter_chain_name", [](Evaluation& e) -> Found { return Value::string(e.facts.filter_chain); }},
    {Root::kXds, "listener_metadata", [](Evaluation& e) { return metadata_of<&Facts::listener_metadata>(true, e); }},
    {Root::kXds, "virtual_host_name", nullptr},
    {Root::kXds, "upstream_host_locality_metadata", nullptr},
    {Root::kXds, "listener_direction", nullptr},
    {Root::kXds, "node", nullptr},
};

std::span<const Attribute> attributes_of(Root root) {
  switch (root) {
    case Root::kRequest:
      return kRequest;
    case Root::kResponse:
      return kResponse;
    case Root::kConnection:
      return kConnection;
    case Root::kUpstream:
      return kUpstream;
    case Root::kSource:
    case Root::kDestination:
      return kPeers;
    case Root::kXds:
      return kXds;
    case Root::kFilterState:
      break;
  }
  return {};
}

}  // namespace

const Attribute* find_attribute(Root root, std::string_view name) {
  for (const Attribute& attribute : attributes_of(root)) {
    if (attribute.root == root && attribute.name == name) return &attribute;
  }
  return nullptr;
}

std::optional<Root> find_root(std::string_view name) {
  constexpr std::pair<std::string_view, Root> kRoots[] = {
      {"request", Root::kRequest},   {"response", Root::kResponse},       {"connection", Root::kConnection},
      {"upstream", Root::kUpstream}, {"source", Root::kSource},           {"destination", Root::kDestination},
      {"xds", Root::kXds},           {"filter_state", Root::kFilterState}};
  for (const auto& [known, root] : kRoots) {
    if (known == name) return root;
  }
  return std::nullopt;
}

Found header(Keeper whose, std::string_view name, Evaluation& evaluation) {
  const std::string lower = to_lower(name);
  for (const Pseudo& one : pseudo_headers(whose, evaluation.facts)) {
    if (one.name == lower || (one.name == ":authority" && lower == "host")) return Value::string(one.value);
  }
  const http::HeaderMap* fields = fields_of(whose, evaluation.facts);
  if (fields == nullptr) return std::nullopt;
  const uint32_t lines = fields->count(lower);
  if (lines == 0) return std::nullopt;
  if (lines == 1) return Value::string(fields->find(lower)->value());
  std::string joined;
  uint32_t seen = 0;
  for (const http::HeaderField& field : *fields) {
    if (equal_ignore_case(field.name(), lower)) append(joined, seen++ == 0 ? "" : ",", field.value());
  }
  return Value::string(evaluation.keep(std::move(joined)));
}

std::vector<std::string_view> header_names(Keeper whose, const Facts& facts) {
  std::vector<std::string_view> names;
  for (const Pseudo& one : pseudo_headers(whose, facts)) names.push_back(one.name);
  if (const http::HeaderMap* fields = fields_of(whose, facts)) {
    for (const http::HeaderField& field : *fields) {
      const bool known = std::any_of(names.begin(), names.end(),
                                     [&](std::string_view name) { return equal_ignore_case(name, field.name()); });
      if (!known) names.push_back(field.name());
    }
  }
  return names;
}

Found filter_state(std::string_view key, const Evaluation& evaluation) {
  const FilterState* state = evaluation.facts.filter_state;
  const FilterState::Object* object = state == nullptr ? nullptr : state->find(key);
  return object == nullptr ? std::nullopt : Found(Value::bytes(object->text));
}

}  // namespace sluice::cel
