// /config_dump: choosing among the parts, and printing them.
#include "server/admin/config_dump.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/util/field_mask_util.h>

#include <map>

#include "base/strings.h"
#include "config/accepted_config.h"
#include "config/any.h"
#include "config/message_json.h"
#include "envoy/admin/v3/config_dump.pb.h"
#include "server/admin/page.h"

namespace sluice::server::admin {
namespace {

using envoy::admin::v3::ConfigDump;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;
using google::protobuf::util::FieldMaskUtil;
using Parts = std::vector<std::unique_ptr<Message>>;

bool trim(Message& message, const FieldMask& mask);

// Null: `name` is no field that holds one resource in an Any.
Any* resource_in(Message& message, const std::string& name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() || field->message_type() != Any::descriptor()) return nullptr;
  return static_cast<Any*>(message.GetReflection()->MutableMessage(&message, field));
}

bool trim_resource(Any& any, const FieldMask& mask) {
  const auto content = config::new_message(config::type_name(any.type_url()));
  if (content == nullptr || !content->ParseFromString(any.value()) || !trim(*content, mask)) return false;
  content->SerializeToString(any.mutable_value());
  return true;
}

// Keeps what the paths of `mask` name, also within resources ("cluster.name"); false when none of them belongs to this
// message.
bool trim(Message& message, const FieldMask& mask) {
  FieldMask fitting;
  std::map<std::string, FieldMask> within;
  for (const std::string& path : mask.paths()) {
    const size_t dot = path.find('.');
    if (FieldMaskUtil::GetFieldDescriptors(message.GetDescriptor(), path, nullptr)) {
      fitting.add_paths(path);
    } else if (dot != std::string::npos && resource_in(message, path.substr(0, dot)) != nullptr) {
      within[path.substr(0, dot)].add_paths(path.substr(dot + 1));
    }
  }
  for (const auto& [name, inner] : within) {
    if (trim_resource(*resource_in(message, name), inner)) fitting.add_paths(name);
  }
  if (fitting.paths().empty()) return false;
  FieldMaskUtil::TrimMessage(fitting, &message);
  return true;
}

// The elements of one list of one part. Error: there is none of that name.
Result<Parts> list_of(const Parts& parts, const std::string& name) {
  for (const auto& part : parts) {
    const FieldDescriptor* field = part->GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) continue;
    if (!field->is_repeated())
      return Error{cat(name, " is not a repeated field. Use ?mask=", name, " to get only this field")};
    Parts out;
    for (int i = 0; i < part->GetReflection()->FieldSize(*part, field); ++i) {
      const Message& element = part->GetReflection()->GetRepeatedMessage(*part, field, i);
      out.emplace_back(element.New())->CopyFrom(element);
    }
    return out;
  }
  return Error{cat(name, " not found in config dump")};
}

// An error of the page: status and text.
void fail(Reply& reply, uint16_t status, std::string text) {
  reply.fail(status, std::move(text));
  reply.content_type = "text/plain";
}

void print(const Parts& parts, Reply& reply) {
  ConfigDump dump;
  for (const auto& part : parts) dump.add_configs()->PackFrom(*part);
  reply.content_type = kJson;
  reply.body = config::to_json(dump);
}

}  // namespace

void config_dump_page(const Request& request, AdminSource& source, Reply& reply) {
  Function<bool(std::string_view)> wanted;
  if (const std::string_view pattern = request.get("name_regex"); !pattern.empty()) {
    auto filter = name_filter(pattern);
    if (!filter.ok())
      return fail(reply, 400,
                  cat("INVALID_ARGUMENT: Error while parsing name_regex from ", pattern, ": ", filter.error()));
    wanted = std::move(*filter);
  }
  const auto accepted = source.accepted_config();
  Parts parts;
  // A parameter without a value counts too.
  const ShowEndpoints endpoints = request.has("include_eds") ? ShowEndpoints::kYes : ShowEndpoints::kNo;
  if (accepted != nullptr) {
    envoy::config::bootstrap::v3::Bootstrap bootstrap;
    bootstrap.ParsePartialFromString(accepted->bootstrap);
    parts = dump_parts(bootstrap, source.accepted_at(), source.dynamic_configs(), wanted, endpoints);
  }
  if (const std::string_view resource = request.get("resource"); !resource.empty()) {
    auto list = list_of(parts, std::string(resource));
    if (!list.ok()) return fail(reply, list.error().ends_with("dump") ? 404 : 400, list.error());
    parts = std::move(*list);
  }
  if (const std::string_view text = request.get("mask"); !text.empty()) {
    FieldMask mask;
    for (const std::string_view path : split(text, ',')) mask.add_paths(std::string(path));
    const bool any = !parts.empty();
    std::erase_if(parts, [&](const std::unique_ptr<Message>& part) { return !trim(*part, mask); });
    if (any && parts.empty()) {
      return fail(reply, 400, cat("FieldMask ", text, " could not be successfully applied to any configs."));
    }
  }
  print(parts, reply);
}

}  // namespace sluice::server::admin
