// Names in certificates against matchers. Properties: a name with a NUL byte never matches; a name matches only a
// matcher of its own type; an exact DNS matcher matches its own name in any letters; a wildcard stands for exactly one
// label.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "net/tls/verifier.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  using namespace sluice::net::tls;
  if (size < 2) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t split = text.find('\n');
  const std::string_view name = text.substr(0, split);
  const std::string_view wanted = split == std::string_view::npos ? std::string_view() : text.substr(split + 1);
  const auto type = static_cast<SanType>(data[0] % 5);
  const auto other = static_cast<SanType>((data[0] % 5 + 1) % 5);
  const San san{type, std::string(name), {}};
  const bool has_nul = name.find('\0') != std::string_view::npos;

  for (const auto& matcher : {match::StringMatcher::exact(wanted), match::StringMatcher::prefix(wanted),
                              match::StringMatcher::suffix(wanted), match::StringMatcher::contains(wanted)}) {
    const bool matched = san_matches({type, matcher, {}}, san);
    SLUICE_CHECK(!(matched && has_nul));
    SLUICE_CHECK(!san_matches({other, matcher, {}}, san));
  }
  if (type == SanType::kDns && !has_nul) {
    SLUICE_CHECK(san_matches({type, match::StringMatcher::exact(name), {}}, san));
    SLUICE_CHECK(san_matches({type, match::StringMatcher::exact(to_lower(name)), {}}, san));
  }
  if (dns_name_matches(name, wanted) && !equal_ignore_case(name, wanted)) {
    SLUICE_CHECK(name.starts_with("*."));
    const size_t dot = wanted.find('.');
    SLUICE_CHECK(dot != std::string_view::npos && dot > 0 && equal_ignore_case(wanted.substr(dot), name.substr(1)));
  }
  return 0;
}
