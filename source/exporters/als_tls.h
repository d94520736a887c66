// TLSProperties of an access-log entry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/tls_facts.h"

namespace sluice::exporters {

// As member `field` of a message.
void append_tls(std::string& to, uint32_t field, const net::TlsTexts& tls, std::string_view server_name);

}  // namespace sluice::exporters
