// Messages and rules for tests of the compiled model.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "model/header_rules.h"
#include "model/route_table.h"

namespace sluice::model {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline HeaderRule rule(std::string_view name, std::string_view value,
                       AppendAction action = AppendAction::kAppendIfExistsOrAdd, bool keep_empty = false) {
  auto formatter = format::Formatter::parse(value, {.unset = format::ParseOptions::Unset::kNothing});
  EXPECT_TRUE(formatter.ok()) << value;
  const http::Token token = http::token_of(name);
  return {std::string(name), token, std::move(*formatter), action, keep_empty, joins_lines(token)};
}

inline std::shared_ptr<const RegexRewrite> rewrite(std::string_view pattern, std::string_view substitution) {
  auto regex = match::Regex::compile(pattern);
  EXPECT_TRUE(regex.ok()) << pattern;
  return std::make_shared<const RegexRewrite>(RegexRewrite{*regex, std::string(substitution)});
}

inline std::shared_ptr<const format::Formatter> formatter(std::string_view text) {
  auto parsed = format::Formatter::parse(text, {.unset = format::ParseOptions::Unset::kNothing});
  EXPECT_TRUE(parsed.ok()) << text;
  return std::make_shared<const format::Formatter>(std::move(*parsed));
}

// "name: value" lines of one name, or of all.
inline std::vector<std::string> lines(const http::HeaderMap& fields, std::string_view name = {}) {
  std::vector<std::string> out;
  for (const http::HeaderField& field : fields) {
    if (name.empty()) out.push_back(std::string(field.name()) + ": " + std::string(field.value()));
    if (!name.empty() && field.name() == name) out.emplace_back(field.value());
  }
  return out;
}

// Memory and messages of one exchange.
class ModelTest : public ::testing::Test {
 protected:
  http::RequestHeaders& request(std::string_view path, std::string_view host = "example.test", Fields fields = {}) {
    auto& headers = *arena_.create<http::RequestHeaders>(arena_);
    headers.method = "GET";
    headers.scheme = "http";
    headers.path = arena_.copy(path);
    headers.authority = arena_.copy(host);
    headers.fields.add(http::Token::kXForwardedProto, "http");
    for (const auto& [name, value] : fields) headers.fields.add_copy(name, value);
    facts_.request = &headers;
    return headers;
  }

  Owner owner_{"test"};
  ChunkPool pool_{owner_};
  Arena arena_{pool_};
  format::Facts facts_;
};

}  // namespace sluice::model
