// Cookies of a request.
#pragma once

#include <optional>
#include <string_view>

#include "http/header_map.h"

namespace sluice::http {

// The value of the first cookie of that exact name, over all cookie lines; without quotes around it. A view into the
// map.
std::optional<std::string_view> find_cookie(const HeaderMap& fields, std::string_view name);

}  // namespace sluice::http
