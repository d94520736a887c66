#include "config/content.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/hash.h"

namespace sluice::config {

std::string stable_bytes(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  {
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializePartialToCodedStream(&coded);
  }
  return out;
}

// An empty message has a content as well.
model::Content content_of(const google::protobuf::Message& message) {
  const std::string bytes = stable_bytes(message);
  return {xxhash64(bytes, 1), xxhash64(bytes, 2) | 1};
}

}  // namespace sluice::config
