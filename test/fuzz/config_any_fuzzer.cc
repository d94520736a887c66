// What is inside of an Any, out of bytes: a message of a known or unknown type, a TypedStruct, garbage. The text up to
// the first NUL is the type URL, the rest the value; a TypedStruct's value is read as JSON. Properties: there is a
// content or an error in words; asked again the same content is there; as a given type it is that type or an error; a
// tree of it has paths.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/any.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"

namespace {

using namespace sluice;
using namespace sluice::config;
using envoy::extensions::filters::http::router::v3::Router;
using google::protobuf::Any;
using google::protobuf::Message;

void look_at(const Any& any) {
  SourceMap map;
  map.add_message(any, nullptr, 0, -1, {});
  const Result<const Message*> content = unpack(any, map);
  if (!content) {
    SLUICE_CHECK(!content.error().empty());
  } else {
    SLUICE_CHECK(*content != nullptr && *unpack(any, map) == *content);
  }
  Findings findings;
  const Result<const Router*> router = unpack_as<Router>(any, map, findings);
  SLUICE_CHECK(router ? (*router)->GetDescriptor() == Router::descriptor() : !router.error().empty());

  SourceMap whole;
  envoy::config::core::v3::TypedExtensionConfig extension;
  *extension.mutable_typed_config() = any;
  for (const std::string& unknown : add_tree(extension, whole)) SLUICE_CHECK(!unknown.empty());
  SLUICE_CHECK(whole.path(extension.typed_config()) == "typed_config");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const std::string_view url = input.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  Any any;
  any.set_type_url(std::string(url));
  any.set_value(std::string(rest));
  look_at(any);
  if (is_typed_struct(type_name(url))) {
    const std::unique_ptr<Message> content = new_message(type_name(url));
    SourceMap map;
    Findings findings;
    read_text(Format::Json, rest, "f", *content, map, findings);
    any.set_value(content->SerializePartialAsString());
    look_at(any);
  }
  return 0;
}
