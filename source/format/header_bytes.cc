#include "format/header_bytes.h"

#include <string_view>

namespace sluice::format {

uint64_t header_bytes(const http::HeaderMap& fields) {
  uint64_t out = 0;
  for (const http::HeaderField& field : fields) out += field.name().size() + field.value().size();
  return out;
}

uint64_t header_bytes(const http::RequestHeaders& request) {
  uint64_t out = header_bytes(request.fields);
  for (const std::string_view name : {":authority", ":path", ":method", ":scheme"}) {
    if (const std::string_view value = request.get(name); value.data() != nullptr) out += name.size() + value.size();
  }
  return out;
}

uint64_t header_bytes(const http::ResponseHeaders& response) {
  const std::string_view status = response.get(":status");
  return header_bytes(response.fields) + (status.data() == nullptr ? 0 : std::string_view(":status").size() + status.size());
}

}  // namespace sluice::format
