// Resources as control planes send them, made out of bytes along the descriptors: fields are chosen and filled as the
// input says, an Any gets a message that this build compiles there. Properties: an update that is taken has a plan for
// each resource and says nothing; a resource without a plan says why; the same update gives the same answer twice.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "config/any.h"
#include "config/compile_scope.h"
#include "config/message_tree.h"
#include "config/resources.h"
#include "config/tls_secrets.h"
#include "filters/builtin.h"

namespace {

using namespace sluice;
using namespace sluice::config;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Reads the input byte by byte; zeros follow its end.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  size_t below(size_t n) { return n > 255 ? (byte() * 256u + byte()) % n : byte() % n; }
  std::string text() {
    constexpr std::string_view kTexts[] = {"",    "a",        "*",     "/",          "example.com", "127.0.0.1",
                                           "::1", "x-header", "%REQ(", "%PROTOCOL%", "^/.*$",       "GET",
                                           "h2",  "[",        "0",     "-1",         ":path",       "envoy.lb"};
    const size_t choice = below(std::size(kTexts) + 1);
    if (choice < std::size(kTexts)) return std::string(kTexts[choice]);
    std::string out;
    for (size_t left = below(12); left > 0; --left) out += static_cast<char>(byte() % 128);
    return out;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

constexpr std::string_view kResources[] = {"envoy.config.cluster.v3.Cluster",
                                           "envoy.config.endpoint.v3.ClusterLoadAssignment",
                                           "envoy.config.listener.v3.Listener",
                                           "envoy.config.route.v3.RouteConfiguration",
                                           "envoy.config.route.v3.ScopedRouteConfiguration",
                                           "envoy.service.runtime.v3.Runtime",
                                           "envoy.config.core.v3.TypedExtensionConfig"};

// Beside the filters: what stands in transport sockets, logs, matchers, protocol options.
constexpr std::string_view kOthers[] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                                        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                                        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                                        "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
                                        "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
                                        "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
                                        "envoy.extensions.load_balancing_policies.subset.v3.Subset",
                                        "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                                        "envoy.config.route.v3.Route",
                                        "envoy.config.route.v3.FilterConfig",
                                        "google.protobuf.Struct",
                                        "xds.type.v3.TypedStruct"};

constexpr int kDeepest = 24;

// Fills messages. Lives for one input.
class Maker {
 public:
  Maker(Input& input, const std::vector<std::string_view>& types) : input_(input), types_(types) {}

  void fill(Message& message, int depth) {
    if (message.GetDescriptor() == Any::descriptor()) return fill_any(static_cast<Any&>(message), depth);
    if (message.GetDescriptor() == google::protobuf::Duration::descriptor()) {
      static_cast<google::protobuf::Duration&>(message).set_seconds(input_.byte() % 16);
      return;
    }
    const auto& type = *message.GetDescriptor();
    if (type.field_count() == 0 || depth > kDeepest) return;
    for (size_t left = 1 + input_.below(4); left > 0 && !input_.empty(); --left) {
      field(message, *type.field(static_cast<int>(input_.below(static_cast<size_t>(type.field_count())))), depth);
    }
  }

 private:
  void fill_any(Any& any, int depth) {
    const std::unique_ptr<Message> content = new_message(types_[input_.below(types_.size())]);
    if (content == nullptr) return;
    fill(*content, depth + 1);
    any.set_type_url("type.googleapis.com/" + content->GetDescriptor()->full_name());
    any.set_value(content->SerializePartialAsString());
  }

  // As bytes: through reflection a map takes a key twice, and then cannot say its size.
  void entry(Message& message, const FieldDescriptor& field, int depth) {
    auto& factory = *message.GetReflection()->GetMessageFactory();
    const std::unique_ptr<Message> one(factory.GetPrototype(field.message_type())->New());
    fill(*one, depth + 1);
    std::string bytes;
    {
      google::protobuf::io::StringOutputStream stream(&bytes);
      google::protobuf::io::CodedOutputStream out(&stream);
      out.WriteTag(static_cast<uint32_t>(field.number()) << 3 | 2);
      const std::string content = one->SerializePartialAsString();
      out.WriteVarint32(static_cast<uint32_t>(content.size()));
      out.WriteString(content);
    }
    SLUICE_CHECK(message.MergeFromString(bytes));
  }

  void field(Message& message, const FieldDescriptor& field, int depth) {
    const auto& reflection = *message.GetReflection();
    const bool list = field.is_repeated();
    if (field.is_map()) return entry(message, field, depth);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return fill(list ? *reflection.AddMessage(&message, &field) : *reflection.MutableMessage(&message, &field),
                    depth + 1);
      case FieldDescriptor::CPPTYPE_STRING:
        return list ? reflection.AddString(&message, &field, input_.text())
                    : reflection.SetString(&message, &field, input_.text());
      case FieldDescriptor::CPPTYPE_BOOL:
        return list ? reflection.AddBool(&message, &field, true) : reflection.SetBool(&message, &field, true);
      case FieldDescriptor::CPPTYPE_ENUM:
        return list ? reflection.AddEnumValue(&message, &field, input_.byte() % 8)
                    : reflection.SetEnumValue(&message, &field, input_.byte() % 8);
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return list ? reflection.AddDouble(&message, &field, input_.byte())
                    : reflection.SetDouble(&message, &field, input_.byte());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return list ? reflection.AddFloat(&message, &field, input_.byte())
                    : reflection.SetFloat(&message, &field, input_.byte());
      case FieldDescriptor::CPPTYPE_INT32:
        return list ? reflection.AddInt32(&message, &field, number<int32_t>())
                    : reflection.SetInt32(&message, &field, number<int32_t>());
      case FieldDescriptor::CPPTYPE_INT64:
        return list ? reflection.AddInt64(&message, &field, number<int64_t>())
                    : reflection.SetInt64(&message, &field, number<int64_t>());
      case FieldDescriptor::CPPTYPE_UINT32:
        return list ? reflection.AddUInt32(&message, &field, number<uint32_t>())
                    : reflection.SetUInt32(&message, &field, number<uint32_t>());
      case FieldDescriptor::CPPTYPE_UINT64:
        return list ? reflection.AddUInt64(&message, &field, number<uint64_t>())
                    : reflection.SetUInt64(&message, &field, number<uint64_t>());
    }
  }

  // Small, or the largest.
  template <typename T>
  T number() {
    const uint8_t byte = input_.byte();
    return byte == 255 ? std::numeric_limits<T>::max() : static_cast<T>(byte);
  }

  Input& input_;
  const std::vector<std::string_view>& types_;
};

struct Answer {
  Verdict verdict;
  std::string why;
  bool operator==(const Answer&) const = default;
};

template <typename Plan>
Answer judge(const Batch<Plan>& batch) {
  for (const auto& one : batch.resources) {
    if (one.plan == nullptr) SLUICE_CHECK(!one.why.empty() && batch.verdict != Verdict::kTaken);
  }
  SLUICE_CHECK((batch.verdict == Verdict::kTaken) == batch.why.empty());
  return {batch.verdict, batch.why};
}

Answer compile(size_t kind, const ResourceUpdate& update, const Extensions& extensions,
               const std::vector<std::string>& filters) {
  TlsSecrets tls(extensions, nullptr, nullptr);
  model::RouteSlots slots;
  ScopeSettings settings;
  settings.node = {"proxy", "fuzz"};
  settings.tls = &tls;
  settings.route_slots = &slots;
  settings.clusters->names.emplace("a", config::ClusterNames::Kind::kOther);
  ResourceCompiler compiler(extensions, settings, UnknownFields::kPass);
  switch (kind) {
    case 0:
      return judge(compiler.clusters(update));
    case 1:
      return judge(compiler.assignments(update, "a"));
    case 2:
      return judge(compiler.listeners(update));
    case 3:
      return judge(compiler.routes(update));
    case 4:
      return judge(compiler.scopes(update));
    case 5:
      return judge(compiler.runtime(update));
    default:
      return judge(compiler.filters(update, filters));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Extensions extensions = filters::builtin();
  static const std::vector<std::string_view> types = [] {
    std::vector<std::string_view> out(std::begin(kOthers), std::end(kOthers));
    for (const auto& [category, type] : extensions.types()) out.push_back(type);
    return out;
  }();
  static const std::vector<std::string> filters = {"envoy.extensions.filters.http.router.v3.Router"};

  Input input(data, size);
  const size_t kind = input.below(std::size(kResources));
  ResourceUpdate update;
  update.version = "1";
  for (size_t left = 1 + input.below(3); left > 0; --left) {
    const std::unique_ptr<Message> message = new_message(kResources[kind]);
    Maker(input, types).fill(*message, 0);
    Resource& one = update.resources.emplace_back();
    one.type_url = "type.googleapis.com/" + message->GetDescriptor()->full_name();
    one.name = "r";
    one.body = message->SerializePartialAsString();
  }
  const Answer one = compile(kind, update, extensions, filters), other = compile(kind, update, extensions, filters);
  if (one.why != other.why) std::fprintf(stderr, "%s\n\n%s\n", one.why.c_str(), other.why.c_str());
  SLUICE_CHECK(one == other);
  return 0;
}
