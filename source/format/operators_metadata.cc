// Operators about metadata and filter state.
#include "base/strings.h"
#include "format/filter_state_value.h"
#include "format/json_text.h"
#include "format/operators.h"
#include "net/address_text.h"

namespace sluice::format {
namespace {

using Source = const Metadata* Facts::*;

// METADATA's first word.
struct Kind {
  std::string_view name;
  Source source;
};
constexpr Kind kKinds[] = {
    {"DYNAMIC", &Facts::metadata},
    {"ROUTE", &Facts::route_metadata},
    {"VIRTUAL_HOST", &Facts::virtual_host_metadata},
    {"LISTENER", &Facts::listener_metadata},
    {"CLUSTER", &Facts::cluster_metadata},
    {"UPSTREAM_HOST", &Facts::upstream_metadata},
};

// `path` is "namespace:key:key...".
const Value* find(const Metadata* metadata, std::string_view path) {
  if (metadata == nullptr) {
    return nullptr;
  }
  size_t colon = path.find(':');
  const Value* at = metadata->find(path.substr(0, colon));
  while (at != nullptr && colon != std::string_view::npos) {
    path.remove_prefix(colon + 1);
    colon = path.find(':');
    at = at->as_map() == nullptr ? nullptr : at->as_map()->find(path.substr(0, colon));
  }
  return at;
}

// Text stands as it is, all else as JSON.
bool put_value(std::string& to, const Value* value) {
  if (value == nullptr) {
    return false;
  }
  if (const std::string* text = value->as_text()) {
    to += *text;
  } else {
    append_json(to, *value);
  }
  return true;
}

bool put_json(std::string& to, const Value* value, uint32_t limit) {
  if (value == nullptr) {
    return false;
  }
  if (const std::string* text = value->as_text()) {
    append_json_string(to, std::string_view(*text).substr(0, limit));
  } else {
    append_json(to, *value);
  }
  return true;
}

template <Source Member>
bool metadata(std::string& to, const Facts& facts, const Piece& piece) {
  return put_value(to, find(facts.*Member, piece.text));
}
template <Source Member>
bool metadata_json(std::string& to, const Facts& facts, const Piece& piece) {
  return put_json(to, find(facts.*Member, piece.text), piece.limit);
}

Result<void> prepare_metadata_path(std::string_view argument, Piece& piece) {
  piece.text = argument;
  return {};
}

bool any_metadata(std::string& to, const Facts& facts, const Piece& piece) {
  return put_value(to, find(facts.*kKinds[piece.option].source, piece.text));
}
bool any_metadata_json(std::string& to, const Facts& facts, const Piece& piece) {
  return put_json(to, find(facts.*kKinds[piece.option].source, piece.text), piece.limit);
}

Result<void> prepare_kind(std::string_view argument, Piece& piece) {
  const size_t colon = argument.find(':');
  const std::string_view name = argument.substr(0, colon);
  for (uint32_t i = 0; i < std::size(kKinds); ++i) {
    if (kKinds[i].name == name) {
      piece.option = i;
      // Without a namespace nothing is found.
      piece.text = colon == std::string_view::npos ? std::string_view() : argument.substr(colon + 1);
      return {};
    }
  }
  return Error{cat("METADATA(", argument, "): ", name,
                   " is none of DYNAMIC, ROUTE, VIRTUAL_HOST, LISTENER, CLUSTER, UPSTREAM_HOST")};
}

enum StateForm : uint32_t { kTyped, kPlain, kFieldIp, kFieldPort, kFieldUnknown };

// KEY, KEY:PLAIN, KEY:TYPED or KEY:FIELD:NAME.
Result<void> prepare_state(std::string_view argument, Piece& piece) {
  const size_t colon = argument.find(':');
  const std::string_view form = colon == std::string_view::npos ? std::string_view() : argument.substr(colon + 1);
  piece.text = argument.substr(0, colon);
  if (form == "PLAIN") {
    piece.option = kPlain;
  } else if (form.starts_with("FIELD:")) {
    const std::string_view field = form.substr(sizeof("FIELD:") - 1);
    piece.option = field == "ip" ? kFieldIp : field == "port" ? kFieldPort : kFieldUnknown;
  } else if (!form.empty() && form != "TYPED") {
    return Error{cat("FILTER_STATE(", argument, "): the form is PLAIN, TYPED or FIELD")};
  }
  return {};
}

const FilterState::Object* find_state(const Facts& facts, std::string_view key) {
  return facts.filter_state == nullptr ? nullptr : facts.filter_state->find(key);
}

// Addresses alone have fields.
bool put_field(std::string& to, const FilterState::Object& object, uint32_t form) {
  if (form == kFieldUnknown || !makes_addresses(object.factory)) return false;
  const auto address = net::parse_address(object.text);
  if (!address) return false;
  to += form == kFieldIp ? address->ip_to_string() : std::to_string(address->port());
  return true;
}

// The typed form is what the object is as JSON: mostly a string.
bool filter_state(std::string& to, const Facts& facts, const Piece& piece) {
  const FilterState::Object* object = find_state(facts, piece.text);
  if (object == nullptr) {
    return false;
  }
  if (piece.option >= kFieldIp) {
    return put_field(to, *object, piece.option);
  }
  if (piece.option == kPlain) {
    to += object->text;
    return !object->text.empty() || object->json.empty();
  }
  if (object->json.empty()) {
    append_json_string(to, object->text);
  } else {
    to += object->json;
  }
  return true;
}

bool filter_state_json(std::string& to, const Facts& facts, const Piece& piece) {
  const FilterState::Object* object = find_state(facts, piece.text);
  if (object == nullptr) {
    return false;
  }
  if (piece.option >= kFieldIp) {
    std::string field;
    if (!put_field(field, *object, piece.option)) return false;
    append_json_string(to, std::string_view(field).substr(0, piece.limit));
    return true;
  }
  if (!object->json.empty() && (piece.option != kPlain || object->text.empty())) {
    if (piece.option == kPlain) return false;
    to += object->json;
    return true;
  }
  append_json_string(to, std::string_view(object->text).substr(0, piece.limit));
  return true;
}

// No filter runs beside an upstream connection that could leave objects there.
bool upstream_filter_state(std::string&, const Facts&, const Piece&) { return false; }

constexpr Operator kMetadataOperators[] = {
    {"CLUSTER_METADATA", kNeedsArgument, kWhole, kText, metadata<&Facts::cluster_metadata>, prepare_metadata_path,
     metadata_json<&Facts::cluster_metadata>},
    {"DYNAMIC_METADATA", kNeedsArgument, kCanBeCut, kText, metadata<&Facts::metadata>, prepare_metadata_path,
     metadata_json<&Facts::metadata>},
    {"FILTER_STATE", kNeedsArgument, kCanBeCut, kText, filter_state, prepare_state, filter_state_json},
    {"METADATA", kNeedsArgument, kCanBeCut, kText, any_metadata, prepare_kind, any_metadata_json},
    {"UPSTREAM_FILTER_STATE", kNeedsArgument, kCanBeCut, kText, upstream_filter_state, prepare_state},
    {"UPSTREAM_METADATA", kNeedsArgument, kWhole, kText, metadata<&Facts::upstream_metadata>, prepare_metadata_path,
     metadata_json<&Facts::upstream_metadata>},
};

}  // namespace

std::span<const Operator> metadata_operators() { return kMetadataOperators; }

}  // namespace sluice::format
