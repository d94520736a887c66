// Templates of paths: "/users/{user}/items/*", and rewrites that use their variables: "/i/{item}/of/{user}".
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/extensions/path/match/uri_template/v3/uri_template_match.proto
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/regex.h"

namespace sluice::match {

// A segment is a literal, '*' (one segment), '**' (all that is left), or a variable: {name}, which is one segment, or
// {name=segments}. Behind an operator a literal may end the template ("/**.json"); text may stand around a variable
// of one segment ("/v{version}.json"). Immutable, cheap to copy. Thread: any.
class PathTemplate {
 public:
  static constexpr size_t kMaxVariables = 5;
  static constexpr size_t kMaxNameLength = 16;

  static Result<PathTemplate> compile(std::string_view text);

  // The whole path, without its query.
  bool matches(std::string_view path) const { return regex_.matches(path); }

 private:
  friend class PathRewriteTemplate;
  Regex regex_;
  std::vector<std::string> variables_;  // in the order of the groups
};

// Immutable. Thread: any.
class PathRewriteTemplate {
 public:
  // Every variable must be one of `matched`.
  static Result<PathRewriteTemplate> compile(std::string_view text, const PathTemplate& matched);

  // Appends the new path; false, and nothing appended, when the path does not match.
  bool rewrite(std::string_view path, std::string& to) const;

 private:
  struct Part {
    std::string literal;
    int variable = -1;
  };
  PathTemplate matched_;
  std::vector<Part> parts_;
};

}  // namespace sluice::match
