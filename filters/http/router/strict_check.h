// The router's strict_check_headers: x-envoy-* fields whose bad values are refused instead of passed over.
#pragma once

#include <span>

#include "http/message.h"
#include "http/token.h"

namespace sluice::filters::router {

// The first field in the order of `checked` whose value is bad; null when all are good or absent.
const http::HeaderField* find_bad_field(std::span<const http::Token> checked, const http::HeaderMap& fields);

}  // namespace sluice::filters::router
