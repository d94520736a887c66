#include "config/metadata_compiler.h"

#include "base/strings.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/path/match/uri_template/v3/uri_template_match.pb.h"

namespace sluice::config {

namespace type = envoy::type::matcher::v3;
using match::ValueMatcher;

Value to_value(const google::protobuf::Value& proto) {
  using Proto = google::protobuf::Value;
  switch (proto.kind_case()) {
    case Proto::kBoolValue:
      return Value::boolean(proto.bool_value());
    case Proto::kNumberValue:
      return Value::number(proto.number_value());
    case Proto::kStringValue:
      return Value(proto.string_value());
    case Proto::kStructValue:
      return Value(to_map(proto.struct_value()));
    case Proto::kListValue: {
      Value::List items;
      for (const Proto& item : proto.list_value().values()) items.push_back(to_value(item));
      return Value(std::move(items));
    }
    case Proto::kNullValue:
    case Proto::KIND_NOT_SET:
      break;
  }
  return {};
}

Value::Map to_map(const google::protobuf::Struct& proto) {
  Value::Map out;
  for (const auto& [key, value] : proto.fields()) out.set(key, to_value(value));
  return out;
}

MetadataPtr compile_metadata(const envoy::config::core::v3::Metadata& proto) {
  if (proto.filter_metadata().empty()) return nullptr;
  auto out = std::make_shared<Metadata>();
  for (const auto& [space, fields] : proto.filter_metadata()) out->space(space) = to_map(fields);
  return out;
}

ValueMatcher compile_value_matcher(const type::ValueMatcher& proto, CompileScope& scope) {
  using Proto = type::ValueMatcher;
  switch (proto.match_pattern_case()) {
    case Proto::kDoubleMatch: {
      const type::DoubleMatcher& number = proto.double_match();
      if (number.has_range()) return ValueMatcher(ValueMatcher::Between{number.range().start(), number.range().end()});
      return ValueMatcher(ValueMatcher::Exactly{number.exact()});
    }
    case Proto::kStringMatch:
      return ValueMatcher(compile_string_matcher(proto.string_match(), scope));
    case Proto::kBoolMatch:
      return ValueMatcher(ValueMatcher::Truth{proto.bool_match()});
    case Proto::kPresentMatch:
      return ValueMatcher(ValueMatcher::Present{proto.present_match()});
    case Proto::kListMatch: {
      ValueMatcher::AnyItem any;
      any.item.push_back(compile_value_matcher(proto.list_match().one_of(), scope));
      return ValueMatcher(std::move(any));
    }
    case Proto::kOrMatch: {
      ValueMatcher::AnyOf any;
      for (const auto& one : proto.or_match().value_matchers())
        any.choices.push_back(compile_value_matcher(one, scope));
      return ValueMatcher(std::move(any));
    }
    case Proto::kNullMatch:
    case Proto::MATCH_PATTERN_NOT_SET:
      break;  // validation has told
  }
  return ValueMatcher(ValueMatcher::Null{});
}

match::MetadataMatcher compile_metadata_matcher(const type::MetadataMatcher& proto, CompileScope& scope) {
  match::MetadataMatcher out{proto.filter(), {}, compile_value_matcher(proto.value(), scope), proto.invert()};
  for (const auto& segment : proto.path()) out.path.push_back(segment.key());
  return out;
}

model::FilterStateMatcher compile_filter_state_matcher(const type::FilterStateMatcher& proto, CompileScope& scope) {
  if (!proto.has_address_match()) return {proto.key(), compile_string_matcher(proto.string_match(), scope)};
  model::FilterStateMatcher::Networks networks;
  networks.invert = proto.address_match().invert_match();
  for (const auto& range : proto.address_match().ranges()) {
    auto compiled = net::Cidr::from(range.address_prefix(), range.prefix_len().value());
    if (compiled.ok()) {
      networks.ranges.push_back(*compiled);
    } else {
      scope.error(range, compiled.error());
    }
  }
  return {proto.key(), std::move(networks)};
}

std::optional<match::PathTemplate> compile_path_template(const google::protobuf::Any& any, CompileScope& scope) {
  using Proto = envoy::extensions::path::match::uri_template::v3::UriTemplateMatchConfig;
  const Proto* proto = scope.unpack_to<Proto>(any);
  if (proto == nullptr) return std::nullopt;
  auto compiled = match::PathTemplate::compile(proto->path_template());
  if (compiled.ok()) return std::move(*compiled);
  scope.error(*proto, Proto::kPathTemplateFieldNumber, compiled.error());
  return std::nullopt;
}

}  // namespace sluice::config
