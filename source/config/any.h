// What is inside of an Any: by the name behind the last slash of its type URL, whether it was read from a text (then it
// is in the SourceMap, with positions) or came as bytes (then it is parsed here and kept in the SourceMap too).
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/source_map.h"

namespace sluice::config {

// "a.b/x.y.Z" -> "x.y.Z". Thread: any.
std::string_view type_name(std::string_view type_url);
// xds.type.v3.TypedStruct or its older twin in udpa. Thread: any.
bool is_typed_struct(std::string_view full_name);
// An empty message of a type of api/, or null. Thread: any.
std::unique_ptr<google::protobuf::Message> new_message(std::string_view full_name);

// The content of `any`, typed, for whoever finds an extension by its type: compare the descriptor or the full name. A
// TypedStruct of a known type is that type, one of an unknown type is the TypedStruct itself. Errors say what is wrong
// in words for a person (empty, unknown type, bytes that do not parse); give them a place by map.error(any, ...).
// Thread: as the map.
Result<const google::protobuf::Message*> unpack(const google::protobuf::Any& any, SourceMap& map);

// For whoever knows which message it wants: also a Struct, or a TypedStruct of any name, is turned into a T, as Envoy
// does. `findings` gets the errors of such a conversion. Thread: as the map.
Result<const google::protobuf::Message*> unpack_as(const google::protobuf::Any& any,
                                                   const google::protobuf::Message& prototype, SourceMap& map,
                                                   Findings& findings);
template <typename T>
Result<const T*> unpack_as(const google::protobuf::Any& any, SourceMap& map, Findings& findings) {
  auto content = unpack_as(any, T::default_instance(), map, findings);
  if (!content) return Error{content.error()};
  return static_cast<const T*>(*content);
}

}  // namespace sluice::config
