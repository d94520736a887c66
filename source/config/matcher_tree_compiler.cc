#include "config/matcher_tree_compiler.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "config/matcher_compiler.h"
#include "envoy/extensions/matching/common_inputs/network/v3/network_inputs.pb.h"
#include "envoy/type/matcher/v3/http_inputs.pb.h"

namespace sluice::config {
namespace {

namespace xtm = xds::type::matcher::v3;
namespace type = envoy::type::matcher::v3;
using match::Case;
using match::StringMatcher;
using model::FactInputPtr;
using model::FactTree;
using OnMatch = FactTree::OnMatch;
using Predicate = FactTree::Predicate;

struct NamedFact {
  std::string_view type;
  model::ConnectionFact fact;
};
constexpr NamedFact kConnectionFacts[] = {
    {"envoy.extensions.matching.common_inputs.network.v3.SourceIPInput", model::ConnectionFact::kSourceIp},
    {"envoy.extensions.matching.common_inputs.network.v3.SourcePortInput", model::ConnectionFact::kSourcePort},
    {"envoy.extensions.matching.common_inputs.network.v3.DirectSourceIPInput", model::ConnectionFact::kDirectSourceIp},
    {"envoy.extensions.matching.common_inputs.network.v3.DestinationIPInput", model::ConnectionFact::kDestinationIp},
    {"envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput",
     model::ConnectionFact::kDestinationPort},
    {"envoy.extensions.matching.common_inputs.network.v3.SourceTypeInput", model::ConnectionFact::kSourceType},
    {"envoy.extensions.matching.common_inputs.network.v3.ServerNameInput", model::ConnectionFact::kServerName},
    {"envoy.extensions.matching.common_inputs.network.v3.TransportProtocolInput",
     model::ConnectionFact::kTransportProtocol},
    {"envoy.extensions.matching.common_inputs.network.v3.ApplicationProtocolInput",
     model::ConnectionFact::kApplicationProtocols},
    {"envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput", model::ConnectionFact::kUriSan},
    {"envoy.extensions.matching.common_inputs.ssl.v3.DnsSanInput", model::ConnectionFact::kDnsSan},
    {"envoy.extensions.matching.common_inputs.ssl.v3.SubjectInput", model::ConnectionFact::kSubject},
};

template <typename T>
const T* as(const google::protobuf::Message& content) {
  return content.GetDescriptor() == T::descriptor() ? static_cast<const T*>(&content) : nullptr;
}

// Of the kinds of input: what a tree may look at depends on where it stands.
enum class InputKind : uint8_t { kHeader, kConnection, kSourceType, kDetectedProtocol, kOther };

InputKind kind_of(const google::protobuf::Message& input, const NamedFact* fact) {
  if (as<type::HttpRequestHeaderMatchInput>(input) != nullptr) return InputKind::kHeader;
  if (as<envoy::extensions::matching::common_inputs::network::v3::FilterStateInput>(input) != nullptr) {
    return InputKind::kConnection;
  }
  if (fact == nullptr) return InputKind::kOther;
  switch (fact->fact) {
    case model::ConnectionFact::kSourceType:
      return InputKind::kSourceType;
    case model::ConnectionFact::kTransportProtocol:
    case model::ConnectionFact::kApplicationProtocols:
      return InputKind::kDetectedProtocol;
    default:
      return InputKind::kConnection;
  }
}

bool may_look_at(TreeInputs inputs, InputKind kind) {
  switch (inputs) {
    case TreeInputs::kAll:
      return kind != InputKind::kDetectedProtocol;
    case TreeInputs::kRequestHeaders:
      return kind == InputKind::kHeader;
    case TreeInputs::kConnection:
      return kind != InputKind::kHeader && kind != InputKind::kOther;
    case TreeInputs::kRbac:
      return kind == InputKind::kHeader || kind == InputKind::kConnection;
    case TreeInputs::kConnectionRbac:
      return kind == InputKind::kConnection;
  }
  return false;
}

// Null after an error.
FactInputPtr compile_input(const xds::core::v3::TypedExtensionConfig& proto, TreeInputs inputs, CompileScope& scope) {
  const google::protobuf::Message* content = scope.unpack(proto.typed_config());
  if (content == nullptr) return nullptr;
  const std::string& name = content->GetDescriptor()->full_name();
  const auto* const fact = std::find_if(std::begin(kConnectionFacts), std::end(kConnectionFacts),
                                        [&](const NamedFact& known) { return known.type == name; });
  if (!may_look_at(inputs, kind_of(*content, fact == std::end(kConnectionFacts) ? nullptr : fact))) {
    scope.error(proto.typed_config(), inputs == TreeInputs::kRequestHeaders
                                          ? "this tree can look at request headers only"
                                          : cat("this tree cannot look at ", name));
    return nullptr;
  }
  if (fact != std::end(kConnectionFacts)) return model::connection_input(fact->fact);
  if (const auto* input = as<type::HttpRequestHeaderMatchInput>(*content))
    return model::request_header_input(to_lower(input->header_name()));
  if (const auto* input = as<type::HttpRequestTrailerMatchInput>(*content))
    return model::request_trailer_input(to_lower(input->header_name()));
  if (const auto* input = as<type::HttpResponseHeaderMatchInput>(*content))
    return model::response_header_input(to_lower(input->header_name()));
  if (const auto* input = as<type::HttpResponseTrailerMatchInput>(*content))
    return model::response_trailer_input(to_lower(input->header_name()));
  if (const auto* input = as<type::HttpRequestQueryParamMatchInput>(*content))
    return model::query_parameter_input(input->query_param());
  if (const auto* input = as<envoy::extensions::matching::common_inputs::network::v3::FilterStateInput>(*content)) {
    if (input->field().empty()) return model::filter_state_input(input->key());
  }
  if (name == "envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput") return model::status_input();
  if (name == "envoy.type.matcher.v3.HttpResponseStatusCodeClassMatchInput") return model::status_class_input();
  scope.error(proto.typed_config(), cat("not supported yet: ", name, " as an input of a matcher"));
  return nullptr;
}

StringMatcher compile_value(const xtm::StringMatcher& proto, CompileScope& scope) {
  const Case letters = proto.ignore_case() ? Case::kIgnored : Case::kSensitive;
  switch (proto.match_pattern_case()) {
    case xtm::StringMatcher::kExact:
      return StringMatcher::exact(proto.exact(), letters);
    case xtm::StringMatcher::kPrefix:
      return StringMatcher::prefix(proto.prefix(), letters);
    case xtm::StringMatcher::kSuffix:
      return StringMatcher::suffix(proto.suffix(), letters);
    case xtm::StringMatcher::kContains:
      return StringMatcher::contains(proto.contains(), letters);
    case xtm::StringMatcher::kSafeRegex: {
      if (proto.ignore_case()) {
        scope.error(proto, xtm::StringMatcher::kIgnoreCaseFieldNumber,
                    "has no effect on safe_regex; begin the pattern with (?i)");
      }
      auto regex = match::Regex::compile(proto.safe_regex().regex(), scope.max_program_size());
      if (regex.ok()) return StringMatcher::regex(std::move(*regex));
      scope.error(proto.safe_regex(), xtm::RegexMatcher::kRegexFieldNumber, regex.error());
      break;
    }
    case xtm::StringMatcher::kCustom:
      scope.not_supported(proto, xtm::StringMatcher::kCustomFieldNumber);
      break;
    case xtm::StringMatcher::MATCH_PATTERN_NOT_SET:
      break;  // validation has told
  }
  return {};
}

// One tree.
class TreeCompiler {
 public:
  TreeCompiler(const CompileAction& action, TreeInputs inputs, CompileScope& scope)
      : action_(action), inputs_(inputs), scope_(scope) {}

  std::unique_ptr<const FactTree> compile(const xtm::Matcher& proto) {
    OnMatch otherwise;
    if (proto.has_on_no_match()) otherwise = compile_on_match(proto.on_no_match());
    switch (proto.matcher_type_case()) {
      case xtm::Matcher::kMatcherList: {
        FactTree::List list;
        for (const auto& one : proto.matcher_list().matchers()) {
          list.matchers.emplace_back(compile_predicate(one.predicate()), compile_on_match(one.on_match()));
        }
        return std::make_unique<const FactTree>(std::move(list), std::move(otherwise));
      }
      case xtm::Matcher::kMatcherTree:
        return std::make_unique<const FactTree>(compile_map(proto.matcher_tree()), std::move(otherwise));
      case xtm::Matcher::MATCHER_TYPE_NOT_SET:
        break;
    }
    return std::make_unique<const FactTree>(FactTree::Nothing{}, std::move(otherwise));
  }

 private:
  OnMatch compile_on_match(const xtm::Matcher::OnMatch& proto) {
    if (proto.keep_matching()) scope_.not_supported(proto, xtm::Matcher::OnMatch::kKeepMatchingFieldNumber);
    OnMatch out;
    if (proto.has_matcher()) {
      out.tree = compile(proto.matcher());
    } else if (const auto* content = scope_.unpack(proto.action().typed_config())) {
      out.action = action_(*content, proto.action().typed_config());
    }
    return out;
  }

  Predicate compile_predicate(const xtm::Matcher::MatcherList::Predicate& proto) {
    using P = xtm::Matcher::MatcherList::Predicate;
    Predicate out;
    switch (proto.match_type_case()) {
      case P::kSinglePredicate:
        out.input = compile_input(proto.single_predicate().input(), inputs_, scope_);
        if (proto.single_predicate().has_custom_match()) {
          scope_.not_supported(proto.single_predicate(), P::SinglePredicate::kCustomMatchFieldNumber);
        } else {
          out.value = compile_value(proto.single_predicate().value_match(), scope_);
        }
        break;
      case P::kOrMatcher:
        out.kind = Predicate::Kind::kOr;
        for (const auto& one : proto.or_matcher().predicate()) out.children.push_back(compile_predicate(one));
        break;
      case P::kAndMatcher:
        out.kind = Predicate::Kind::kAnd;
        for (const auto& one : proto.and_matcher().predicate()) out.children.push_back(compile_predicate(one));
        break;
      case P::kNotMatcher:
        out.kind = Predicate::Kind::kNot;
        out.children.push_back(compile_predicate(proto.not_matcher()));
        break;
      case P::MATCH_TYPE_NOT_SET:
        break;  // validation has told
    }
    return out;
  }

  FactTree::Map compile_map(const xtm::Matcher::MatcherTree& proto) {
    using T = xtm::Matcher::MatcherTree;
    FactTree::Map out;
    out.input = compile_input(proto.input(), inputs_, scope_);
    if (proto.has_custom_match()) scope_.not_supported(proto, T::kCustomMatchFieldNumber);
    out.by = proto.has_prefix_match_map() ? FactTree::Map::By::kPrefix : FactTree::Map::By::kExact;
    for (const auto& [key, value] :
         proto.has_prefix_match_map() ? proto.prefix_match_map().map() : proto.exact_match_map().map()) {
      out.values.emplace(key, compile_on_match(value));
    }
    return out;
  }

  const CompileAction& action_;
  const TreeInputs inputs_;
  CompileScope& scope_;
};

}  // namespace

std::unique_ptr<const FactTree> compile_fact_tree(const xtm::Matcher& proto, const CompileAction& action,
                                                  CompileScope& scope, TreeInputs inputs) {
  return TreeCompiler(action, inputs, scope).compile(proto);
}

}  // namespace sluice::config
