// The size of a head as Envoy counts it: the names and values of its fields, pseudo headers as well, without what a
// protocol puts between them.
#pragma once

#include <cstdint>

#include "http/message.h"

namespace sluice::format {

uint64_t header_bytes(const http::HeaderMap& fields);
uint64_t header_bytes(const http::RequestHeaders& request);
uint64_t header_bytes(const http::ResponseHeaders& response);

}  // namespace sluice::format
