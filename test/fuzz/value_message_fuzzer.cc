// A serialised google.protobuf.Value, as a client may send one in a header, against protobuf's own reader: what we
// read, it reads as well, with the same content.
#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "filters/http/header_to_metadata/value_message.h"

namespace {

using google::protobuf::Struct;
using sluice::Value;
using Message = google::protobuf::Value;

bool same(const Value& ours, const Message& theirs) {
  switch (theirs.kind_case()) {
    case Message::kNumberValue:  // a NaN is no NaN's equal
      return ours.as_number() != nullptr &&
             (*ours.as_number() == theirs.number_value() || theirs.number_value() != theirs.number_value());
    case Message::kStringValue:
      return ours.as_text() != nullptr && *ours.as_text() == theirs.string_value();
    case Message::kBoolValue:
      return ours.as_boolean() != nullptr && *ours.as_boolean() == theirs.bool_value();
    case Message::kStructValue: {
      const auto& fields = theirs.struct_value().fields();
      if (ours.as_map() == nullptr || ours.as_map()->size() != static_cast<size_t>(fields.size())) return false;
      for (const auto& [key, value] : fields) {
        const Value* mine = ours.as_map()->find(key);
        if (mine == nullptr || !same(*mine, value)) return false;
      }
      return true;
    }
    case Message::kListValue: {
      const auto& values = theirs.list_value().values();
      if (ours.as_list() == nullptr || ours.as_list()->size() != static_cast<size_t>(values.size())) return false;
      for (int i = 0; i < values.size(); ++i) {
        if (!same((*ours.as_list())[static_cast<size_t>(i)], values[i])) return false;
      }
      return true;
    }
    default:
      return ours.is_null();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto ours = sluice::filters::header_to_metadata::parse_value_message(bytes);
  if (!ours) return 0;
  Message theirs;
  SLUICE_CHECK(theirs.ParseFromString(std::string(bytes)));
  SLUICE_CHECK(same(*ours, theirs));
  return 0;
}
