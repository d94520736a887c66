#include "stats/numbers.h"

#include <charconv>
#include <cmath>

namespace sluice::stats {
namespace {

constexpr size_t kRoom = 400;

}  // namespace

void append_plain(std::string& to, double number) {
  if (std::isnan(number)) {
    to += "nan";
    return;
  }
  char digits[kRoom];
  const bool usual = number == 0 || (std::fabs(number) >= 1e-4 && std::fabs(number) < 1e16);
  to.append(digits, std::to_chars(digits, digits + kRoom, number,
                                  usual ? std::chars_format::fixed : std::chars_format::scientific)
                        .ptr);
}

void append_json(std::string& to, double number) {
  if (std::isnan(number)) {
    to += "null";
    return;
  }
  char digits[kRoom];
  to.append(digits, std::to_chars(digits, digits + kRoom, number).ptr);
}

void append_g(std::string& to, double number) {
  char digits[kRoom];
  to.append(digits, std::to_chars(digits, digits + kRoom, number, std::chars_format::general, 6).ptr);
}

void append_exact(std::string& to, double number) {
  char digits[kRoom];
  to.append(digits, std::to_chars(digits, digits + kRoom, number, std::chars_format::general, 32).ptr);
}

}  // namespace sluice::stats
