#include "format/operators.h"

#include <algorithm>
#include <charconv>

namespace sluice::format {
namespace {

constexpr std::string_view kElsewhere[] = {"CEL",
                                           "DOWNSTREAM_CX_RTT",
                                           "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID",
                                           "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
                                           "TYPED_CEL",
                                           "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID"};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

const Operator* find_operator(std::string_view name) {
  for (const auto table : {exchange_operators(), header_operators(), connection_operators(), time_operators(),
                           metadata_operators(), choice_operators()}) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Operator& op) { return op.name == name; });
    if (found != table.end()) {
      return &*found;
    }
  }
  return nullptr;
}

bool is_known_elsewhere(std::string_view name) {
  return std::find(std::begin(kElsewhere), std::end(kElsewhere), name) != std::end(kElsewhere);
}

bool put_number(std::string& to, uint64_t value) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
  return true;
}

bool put_text(std::string& to, std::string_view value) {
  to += value;
  return !value.empty();
}

bool put_without_blanks(std::string& to, std::string_view value) {
  const size_t start = to.size();
  to += value;
  std::replace_if(to.begin() + static_cast<ptrdiff_t>(start), to.end(), is_blank, '_');
  return !value.empty();
}

}  // namespace sluice::format
