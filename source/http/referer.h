// Which Referer fields are forwarded (RFC 9110 10.1.3).
#pragma once

#include <string_view>

namespace sluice::http {

// An absolute URL or a partial one, without user information and without a fragment: a user agent must not send those,
// and what it sends nevertheless is not for the next server. An empty value passes.
bool is_good_referer(std::string_view value);

}  // namespace sluice::http
