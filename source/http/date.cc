#include "http/date.h"

#include <algorithm>

#include "base/civil_time.h"

namespace sluice::http {
namespace {

char* put_number(char* to, int32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) {
    to[i] = static_cast<char>('0' + value % 10);
  }
  return to + digits;
}

char* put(char* to, std::string_view text) { return std::copy(text.begin(), text.end(), to); }

// The name at `index` in a text of names of three letters.
std::string_view name_at(std::string_view names, int32_t index) {
  return names.substr(static_cast<size_t>(index) * 3, 3);
}

}  // namespace

void write_date(WallTime time, char* to) {
  const CivilTime t = utc(time);
  to = put(to, name_at("SunMonTueWedThuFriSat", t.weekday));
  to = put_number(put(to, ", "), t.day, 2);
  *to++ = ' ';
  to = put(to, name_at("JanFebMarAprMayJunJulAugSepOctNovDec", t.month - 1));
  *to++ = ' ';
  to = put_number(to, t.year, 4);
  *to++ = ' ';
  to = put_number(to, t.hour, 2);
  *to++ = ':';
  to = put_number(to, t.minute, 2);
  *to++ = ':';
  to = put_number(to, t.second, 2);
  put(to, " GMT");
}

}  // namespace sluice::http
