#include "config/matcher_compiler.h"

#include "base/strings.h"
#include "config/metadata_compiler.h"

namespace sluice::config {
namespace {

namespace type = envoy::type::matcher::v3;
namespace route = envoy::config::route::v3;
using match::Case;
using match::StringMatcher;

http::HeaderMatcher::Condition compile_condition(const route::HeaderMatcher& matcher, CompileScope& scope) {
  using Present = http::HeaderMatcher::Present;
  switch (matcher.header_match_specifier_case()) {
    case route::HeaderMatcher::kExactMatch:
      // Once "match anything", when it was the only kind.
      if (matcher.exact_match().empty()) return Present{};
      return StringMatcher::exact(matcher.exact_match());
    case route::HeaderMatcher::kSafeRegexMatch:
      return StringMatcher::regex(compile_regex(matcher.safe_regex_match(), scope));
    case route::HeaderMatcher::kRangeMatch:
      return match::IntegerRange{matcher.range_match().start(), matcher.range_match().end()};
    case route::HeaderMatcher::kPrefixMatch:
      return StringMatcher::prefix(matcher.prefix_match());
    case route::HeaderMatcher::kSuffixMatch:
      return StringMatcher::suffix(matcher.suffix_match());
    case route::HeaderMatcher::kContainsMatch:
      return StringMatcher::contains(matcher.contains_match());
    case route::HeaderMatcher::kStringMatch:
      return compile_string_matcher(matcher.string_match(), scope);
    case route::HeaderMatcher::kPresentMatch:
    case route::HeaderMatcher::HEADER_MATCH_SPECIFIER_NOT_SET:
      return Present{};
  }
  return Present{};
}

void compile_path(const route::RouteMatch& match, model::RouteMatch& out, CompileScope& scope) {
  switch (match.path_specifier_case()) {
    case route::RouteMatch::kPrefix:
      out.kind = model::PathKind::kPrefix;
      out.path = match.prefix();
      break;
    case route::RouteMatch::kPath:
      out.kind = model::PathKind::kExact;
      out.path = match.path();
      break;
    case route::RouteMatch::kSafeRegex:
      out.kind = model::PathKind::kRegex;
      out.regex = compile_regex(match.safe_regex(), scope);
      break;
    case route::RouteMatch::kConnectMatcher:
      out.kind = model::PathKind::kConnect;
      break;
    case route::RouteMatch::kPathSeparatedPrefix:
      out.kind = model::PathKind::kSeparatedPrefix;
      out.path = match.path_separated_prefix();
      break;
    case route::RouteMatch::kPathMatchPolicy:
      out.kind = model::PathKind::kTemplate;
      out.path_template = compile_path_template(match.path_match_policy().typed_config(), scope);
      break;
    case route::RouteMatch::PATH_SPECIFIER_NOT_SET:
      break;  // validation has told
  }
}

}  // namespace

match::Regex compile_regex(const type::RegexMatcher& regex, CompileScope& scope) {
  const auto& size = regex.google_re2();
  const uint32_t limit = size.has_max_program_size() ? size.max_program_size().value() : scope.max_program_size();
  auto compiled = match::Regex::compile(regex.regex(), limit);
  if (compiled) return *compiled;
  scope.error(regex, type::RegexMatcher::kRegexFieldNumber, compiled.error());
  return {};
}

match::StringMatcher compile_string_matcher(const type::StringMatcher& matcher, CompileScope& scope) {
  const Case letters = matcher.ignore_case() ? Case::kIgnored : Case::kSensitive;
  switch (matcher.match_pattern_case()) {
    case type::StringMatcher::kExact:
      return StringMatcher::exact(matcher.exact(), letters);
    case type::StringMatcher::kPrefix:
      return StringMatcher::prefix(matcher.prefix(), letters);
    case type::StringMatcher::kSuffix:
      return StringMatcher::suffix(matcher.suffix(), letters);
    case type::StringMatcher::kContains:
      return StringMatcher::contains(matcher.contains(), letters);
    case type::StringMatcher::kSafeRegex:
      if (matcher.ignore_case()) {
        scope.error(matcher, type::StringMatcher::kIgnoreCaseFieldNumber,
                    "has no effect on safe_regex; begin the pattern with (?i)");
      }
      return StringMatcher::regex(compile_regex(matcher.safe_regex(), scope));
    case type::StringMatcher::kCustom:
      scope.not_supported(matcher, type::StringMatcher::kCustomFieldNumber);
      break;
    case type::StringMatcher::MATCH_PATTERN_NOT_SET:
      break;  // validation has told
  }
  return {};
}

model::QueryMatcher compile_query_matcher(const route::QueryParameterMatcher& matcher, CompileScope& scope) {
  model::QueryMatcher out;
  out.name = matcher.name();
  if (matcher.has_string_match()) out.value = compile_string_matcher(matcher.string_match(), scope);
  out.absent = matcher.query_parameter_match_specifier_case() == route::QueryParameterMatcher::kPresentMatch &&
               !matcher.present_match();
  return out;
}

http::HeaderMatcher compile_header_matcher(const route::HeaderMatcher& matcher, CompileScope& scope) {
  const bool absent =
      matcher.header_match_specifier_case() == route::HeaderMatcher::kPresentMatch && !matcher.present_match();
  return http::HeaderMatcher(
      matcher.name(), compile_condition(matcher, scope),
      matcher.invert_match() != absent ? http::HeaderMatcher::Invert::kYes : http::HeaderMatcher::Invert::kNo,
      matcher.treat_missing_header_as_empty() ? http::HeaderMatcher::Missing::kIsEmpty
                                              : http::HeaderMatcher::Missing::kFails);
}

std::vector<http::HeaderMatcher> compile_header_matchers(
    const google::protobuf::RepeatedPtrField<route::HeaderMatcher>& matchers, CompileScope& scope) {
  std::vector<http::HeaderMatcher> out;
  out.reserve(static_cast<size_t>(matchers.size()));
  for (const auto& matcher : matchers) out.push_back(compile_header_matcher(matcher, scope));
  return out;
}

model::Fraction compile_fraction(const envoy::config::core::v3::RuntimeFractionalPercent& fraction,
                                 CompileScope& scope) {
  model::Fraction out;
  out.numerator = fraction.default_value().numerator();
  out.runtime_key = fraction.runtime_key();
  switch (fraction.default_value().denominator()) {
    case envoy::type::v3::FractionalPercent::TEN_THOUSAND:
      out.denominator = 10000;
      break;
    case envoy::type::v3::FractionalPercent::MILLION:
      out.denominator = 1000000;
      break;
    default:
      break;
  }
  return scope.runtime.fraction(std::move(out));
}

std::shared_ptr<const model::RegexRewrite> compile_regex_rewrite(const type::RegexMatchAndSubstitute& rewrite,
                                                                 CompileScope& scope) {
  return std::make_shared<const model::RegexRewrite>(
      model::RegexRewrite{compile_regex(rewrite.pattern(), scope), rewrite.substitution()});
}

model::RouteMatch compile_route_match(const route::RouteMatch& match, CompileScope& scope) {
  using M = route::RouteMatch;
  scope.only(match, {M::kPrefixFieldNumber, M::kPathFieldNumber, M::kSafeRegexFieldNumber,
                     M::kConnectMatcherFieldNumber, M::kPathSeparatedPrefixFieldNumber, M::kPathMatchPolicyFieldNumber,
                     M::kCaseSensitiveFieldNumber, M::kRuntimeFractionFieldNumber, M::kHeadersFieldNumber,
                     M::kQueryParametersFieldNumber, M::kCookiesFieldNumber, M::kGrpcFieldNumber,
                     M::kTlsContextFieldNumber, M::kDynamicMetadataFieldNumber, M::kFilterStateFieldNumber});
  model::RouteMatch out;
  compile_path(match, out, scope);
  out.case_sensitive = !match.has_case_sensitive() || match.case_sensitive().value();
  out.grpc = match.has_grpc();
  if (match.headers().empty() && match.query_parameters().empty() && match.cookies().empty() &&
      match.dynamic_metadata().empty() && match.filter_state().empty() && !match.has_runtime_fraction() &&
      !match.has_tls_context()) {
    return out;
  }
  model::MatchConditions& wanted = out.conditions.edit();
  wanted.headers = compile_header_matchers(match.headers(), scope);
  for (const auto& matcher : match.query_parameters()) wanted.query.push_back(compile_query_matcher(matcher, scope));
  for (const auto& matcher : match.cookies()) {
    wanted.cookies.push_back(
        {matcher.name(), compile_string_matcher(matcher.string_match(), scope), matcher.invert_match()});
  }
  for (const auto& matcher : match.dynamic_metadata()) {
    wanted.metadata.push_back(compile_metadata_matcher(matcher, scope));
  }
  for (const auto& matcher : match.filter_state()) {
    wanted.filter_state.push_back(compile_filter_state_matcher(matcher, scope));
  }
  if (match.has_runtime_fraction()) wanted.fraction = compile_fraction(match.runtime_fraction(), scope);
  if (match.tls_context().has_presented()) wanted.tls_presented = match.tls_context().presented().value();
  if (match.tls_context().has_validated()) wanted.tls_validated = match.tls_context().validated().value();
  return out;
}

}  // namespace sluice::config
