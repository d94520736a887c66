// Compilers of matchers: regular expressions, strings, headers, fractions, and the conditions of a route.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <memory>
#include <vector>

#include "config/compile_scope.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/type/matcher/v3/regex.pb.h"
#include "envoy/type/matcher/v3/string.pb.h"
#include "http/header_matcher.h"
#include "match/regex.h"
#include "match/string_matcher.h"
#include "model/route_match.h"

namespace sluice::config {

// Each reports to the scope what is wrong and then returns something that matches nothing in particular.
match::Regex compile_regex(const envoy::type::matcher::v3::RegexMatcher& regex, CompileScope& scope);
match::StringMatcher compile_string_matcher(const envoy::type::matcher::v3::StringMatcher& matcher,
                                            CompileScope& scope);
http::HeaderMatcher compile_header_matcher(const envoy::config::route::v3::HeaderMatcher& matcher, CompileScope& scope);
model::QueryMatcher compile_query_matcher(const envoy::config::route::v3::QueryParameterMatcher& matcher,
                                          CompileScope& scope);
std::vector<http::HeaderMatcher> compile_header_matchers(
    const google::protobuf::RepeatedPtrField<envoy::config::route::v3::HeaderMatcher>& matchers, CompileScope& scope);
// The value of a runtime key in a static layer is taken instead of the default.
model::Fraction compile_fraction(const envoy::config::core::v3::RuntimeFractionalPercent& fraction,
                                 CompileScope& scope);
std::shared_ptr<const model::RegexRewrite> compile_regex_rewrite(
    const envoy::type::matcher::v3::RegexMatchAndSubstitute& rewrite, CompileScope& scope);
model::RouteMatch compile_route_match(const envoy::config::route::v3::RouteMatch& match, CompileScope& scope);

}  // namespace sluice::config
