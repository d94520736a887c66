// Access to the map fields of messages by reflection, in place.
//
// protobuf's public reflection shows a map as a list of entry messages, copied into the real map at the first typed
// use: the addresses that SourceMap keeps would be those of the copies' originals. So we work on the map itself.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/map_field.h>
#include <google/protobuf/message.h>

#include <functional>

namespace sluice::config {

// The value of `key`, made when missing. Values keep their address as long as the entry lives. Thread: any.
google::protobuf::MapValueRef map_value(google::protobuf::Message& message,
                                        const google::protobuf::FieldDescriptor& field,
                                        const google::protobuf::MapKey& key);

// Calls `visit` for each entry, in the order of their keys: what is said of a message is the same every time.
// Thread: any.
void for_each_entry(
    const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
    const std::function<void(const google::protobuf::MapKey&, const google::protobuf::MapValueConstRef&)>& visit);

}  // namespace sluice::config
