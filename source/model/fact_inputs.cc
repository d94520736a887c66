#include "model/fact_inputs.h"

#include <charconv>

#include "base/strings.h"
#include "http/path.h"
#include "model/chain_matcher.h"

namespace sluice::model {
namespace {

using format::Facts;

// Null data stays so; a text that is there is never null.
std::string_view present(std::string_view text) { return text.data() == nullptr ? std::string_view("") : text; }

std::string_view joined(const http::HeaderMap& fields, std::string_view name, std::string& space) {
  if (fields.count(name) <= 1) {
    const http::HeaderField* field = fields.find(name);
    return field == nullptr ? std::string_view() : present(field->value());
  }
  for (const http::HeaderField& field : fields) {
    if (field.name() != name) continue;
    if (!space.empty()) space += ',';
    space += field.value();
  }
  return space;
}

// %XX becomes its byte; what is no escape stays.
void append_decoded(std::string& to, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && text.size() - i > 2 &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      to += static_cast<char>(byte);
      i += 2;
    } else {
      to += text[i];
    }
  }
}

// A header or trailer of one of the messages.
class FieldInput final : public FactInput {
 public:
  enum class Of : uint8_t { kRequest, kRequestTrailers, kResponse, kResponseTrailers };
  FieldInput(Of of, std::string name) : of_(of), name_(std::move(name)) {}

  std::string_view read(const Facts& facts, Space& space) const override {
    const bool pseudo = name_.starts_with(':') || name_ == "host";
    switch (of_) {
      case Of::kRequest:
        if (facts.request == nullptr) return {};
        return pseudo ? facts.request->get(name_) : joined(facts.request->fields, name_, space);
      case Of::kRequestTrailers:
        return facts.request_trailers == nullptr ? std::string_view() : joined(*facts.request_trailers, name_, space);
      case Of::kResponse:
        if (facts.response == nullptr) return {};
        return pseudo ? facts.response->get(name_) : joined(facts.response->fields, name_, space);
      case Of::kResponseTrailers:
        return facts.response_trailers == nullptr ? std::string_view() : joined(*facts.response_trailers, name_, space);
    }
    return {};
  }

 private:
  Of of_;
  std::string name_;
};

class QueryInput final : public FactInput {
 public:
  explicit QueryInput(std::string name) : name_(std::move(name)) {}
  std::string_view read(const Facts& facts, Space& space) const override {
    if (facts.request == nullptr) return {};
    const auto value = http::query_parameter(http::split_target(facts.request->path).query, name_);
    if (!value) return {};
    append_decoded(space, *value);
    return space;
  }

 private:
  std::string name_;
};

class StatusInput final : public FactInput {
 public:
  std::string_view read(const Facts& facts, Space&) const override {
    return facts.response == nullptr ? std::string_view() : http::status_text(facts.response->status);
  }
};

class StatusClassInput final : public FactInput {
 public:
  std::string_view read(const Facts& facts, Space&) const override {
    constexpr std::string_view kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    const int of_hundred = facts.response == nullptr ? 0 : facts.response->status / 100;
    return of_hundred >= 1 && of_hundred <= 5 ? kClasses[of_hundred - 1] : std::string_view();
  }
};

class FilterStateInput final : public FactInput {
 public:
  explicit FilterStateInput(std::string key) : key_(std::move(key)) {}
  std::string_view read(const Facts& facts, Space&) const override {
    const FilterState::Object* object = facts.filter_state == nullptr ? nullptr : facts.filter_state->find(key_);
    return object == nullptr ? std::string_view() : std::string_view(object->text);
  }

 private:
  std::string key_;
};

class ConnectionInput final : public FactInput {
 public:
  explicit ConnectionInput(ConnectionFact fact) : fact_(fact) {}

  std::string_view read(const Facts& facts, Space& space) const override {
    const format::TlsFacts* tls = facts.downstream_tls;
    switch (fact_) {
      case ConnectionFact::kSourceIp:
        return ip(facts.remote, space);
      case ConnectionFact::kSourcePort:
        return port(facts.remote, space);
      case ConnectionFact::kDirectSourceIp:
        return ip(facts.direct_remote, space);
      case ConnectionFact::kDestinationIp:
        return ip(facts.local, space);
      case ConnectionFact::kDestinationPort:
        return port(facts.local, space);
      case ConnectionFact::kSourceType:
        return facts.remote != nullptr && facts.local != nullptr && is_same_ip_or_loopback(*facts.remote, *facts.local)
                   ? std::string_view("local")
                   : std::string_view();
      case ConnectionFact::kServerName:
        return unless_empty(facts.requested_server_name);
      case ConnectionFact::kTransportProtocol:
        return facts.detected == nullptr ? std::string_view() : unless_empty(facts.detected->transport_protocol);
      case ConnectionFact::kApplicationProtocols:
        return facts.detected == nullptr ? std::string_view() : quoted(facts.detected->application_protocols, space);
      case ConnectionFact::kUriSan:
        return tls == nullptr ? std::string_view() : unless_empty(tls->texts().peer_uri_san);
      case ConnectionFact::kDnsSan:
        return tls == nullptr ? std::string_view() : unless_empty(tls->texts().peer_dns_san);
      case ConnectionFact::kSubject:
        return tls == nullptr ? std::string_view() : unless_empty(tls->texts().peer_subject);
    }
    return {};
  }

 private:
  static std::string_view unless_empty(std::string_view text) { return text.empty() ? std::string_view() : text; }
  static std::string_view quoted(std::span<const std::string> names, Space& space) {
    if (names.empty()) return {};
    for (const std::string& name : names) append(space, space.empty() ? "'" : ",'", name, "'");
    return space;
  }
  static std::string_view ip(const net::Address* address, Space& space) {
    if (address == nullptr || !address->is_ip()) return {};
    space = address->ip_to_string();
    return space;
  }
  static std::string_view port(const net::Address* address, Space& space) {
    if (address == nullptr || !address->is_ip()) return {};
    space = std::to_string(address->port());
    return space;
  }

  ConnectionFact fact_;
};

}  // namespace

FactInputPtr request_header_input(std::string name) {
  return std::make_unique<FieldInput>(FieldInput::Of::kRequest, std::move(name));
}
FactInputPtr request_trailer_input(std::string name) {
  return std::make_unique<FieldInput>(FieldInput::Of::kRequestTrailers, std::move(name));
}
FactInputPtr response_header_input(std::string name) {
  return std::make_unique<FieldInput>(FieldInput::Of::kResponse, std::move(name));
}
FactInputPtr response_trailer_input(std::string name) {
  return std::make_unique<FieldInput>(FieldInput::Of::kResponseTrailers, std::move(name));
}
FactInputPtr query_parameter_input(std::string name) { return std::make_unique<QueryInput>(std::move(name)); }
FactInputPtr status_input() { return std::make_unique<StatusInput>(); }
FactInputPtr status_class_input() { return std::make_unique<StatusClassInput>(); }
FactInputPtr filter_state_input(std::string key) { return std::make_unique<FilterStateInput>(std::move(key)); }
FactInputPtr connection_input(ConnectionFact fact) { return std::make_unique<ConnectionInput>(fact); }

}  // namespace sluice::model
