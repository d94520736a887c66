#include "tools/control_plane/directory.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/strings.h"
#include "config/any.h"
#include "config/reader.h"
#include "config/source_map.h"
#include "config/validation.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "tools/control_plane/references.h"

namespace sluice::control_plane {
namespace {

using envoy::service::discovery::v3::DiscoveryResponse;
using google::protobuf::Any;
using google::protobuf::Message;

bool is_resource_file(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

std::string name_of(const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const auto* const cluster_name = type.FindFieldByName("cluster_name");
  const auto* const name = cluster_name != nullptr ? cluster_name : type.FindFieldByName("name");
  return message.GetReflection()->GetString(message, name);
}

// One element of `resources`. Null: the findings say why.
ResourcePtr read_resource(const Any& any, config::SourceMap& map, config::Findings& findings) {
  const auto type = xds::type_of(any.type_url());
  if (!type || type == ResourceType::kVirtualHost) {
    findings.fail(map.error(
        any, cat(any.type_url().substr(any.type_url().rfind('/') + 1), " is no resource that is served here")));
    return nullptr;
  }
  const auto content = config::unpack(any, map);
  if (!content) {
    findings.fail(map.error(any, content.error()));
    return nullptr;
  }
  auto resource = std::make_shared<ServedResource>();
  resource->type = *type;
  resource->name = name_of(**content);
  resource->body = any.value();
  resource->references = references_of(**content, map);
  const config::Position at = map.at(any);
  resource->place = cat(map.file(at), ":", at.line, ":", at.column);
  if (resource->name.empty()) {
    findings.fail(map.error(any, "a resource needs a name"));
    return nullptr;
  }
  resource->version = version_of(resource->body);
  return resource;
}

}  // namespace

Result<WorldPtr> Directory::read() {
  Parsed seen;
  std::vector<std::string> errors;
  std::vector<std::string> folders;
  std::vector<ResourcePtr> everybody;
  read_folder(path_, seen, everybody, errors, &folders);
  auto world = std::make_shared<World>();
  world->everybody = make_snapshot(everybody, {});
  std::vector<std::string> missing = missing_in(*world->everybody);
  for (const std::string& folder : folders) {
    std::vector<ResourcePtr> own;
    read_folder(cat(path_, "/", folder), seen, own, errors, nullptr);
    const SnapshotPtr snapshot = make_snapshot(everybody, own);
    world->folders[folder] = snapshot;
    for (std::string& each : missing_in(*snapshot)) {
      if (std::find(missing.begin(), missing.end(), each) == missing.end()) {
        missing.push_back(std::move(each));
      }
    }
  }
  parsed_ = std::move(seen);
  folders_ = std::move(folders);
  if (errors.empty()) {
    errors = std::move(missing);  // of a file that cannot be read, nothing is known to be missing
  }
  if (errors.empty()) {
    return WorldPtr(std::move(world));
  }
  std::string text;
  for (size_t i = 0; i < errors.size() && i < kMostErrors; ++i) {
    append(text, i == 0 ? "" : "\n", errors[i]);
  }
  if (errors.size() > kMostErrors) {
    append(text, "\nand ", errors.size() - kMostErrors, " more");
  }
  return Error{std::move(text)};
}

void Directory::read_folder(const std::string& folder, Parsed& seen, std::vector<ResourcePtr>& resources,
                            std::vector<std::string>& errors, std::vector<std::string>* folders) {
  const auto entries = files_.list(folder);
  if (!entries) {
    errors.push_back(entries.error());
    return;
  }
  std::map<std::pair<ResourceType, std::string_view>, const ServedResource*> names;
  for (const event::DirectoryEntry& entry : *entries) {
    if (entry.name.starts_with('.')) {
      continue;
    }
    if (entry.kind == event::DirectoryEntry::Kind::kDirectory && folders != nullptr) {
      folders->push_back(entry.name);
    }
    if (entry.kind != event::DirectoryEntry::Kind::kFile || !is_resource_file(entry.name)) {
      continue;
    }
    const File& file = read_file(cat(folder, "/", entry.name), seen);
    errors.insert(errors.end(), file.errors.begin(), file.errors.end());
    for (const ResourcePtr& resource : file.resources) {
      const auto [other, fresh] = names.try_emplace({resource->type, resource->name}, resource.get());
      if (fresh) {
        resources.push_back(resource);
      } else {
        errors.push_back(cat(resource->place, ": ", xds::names_of(resource->type).acronym, " '", resource->name,
                             "' stands in ", other->second->place, " too"));
      }
    }
  }
}

const Directory::File& Directory::read_file(const std::string& path, Parsed& seen) {
  File& file = seen[path];
  const Result<std::string> text = files_.read(path);
  if (!text) {
    file.errors.push_back(text.error());
    return file;
  }
  const uint64_t hash = xxhash64(*text);
  if (const auto before = parsed_.find(path); before != parsed_.end() && before->second.hash == hash) {
    file = before->second;
    return file;
  }
  file.hash = hash;
  DiscoveryResponse message;
  config::SourceMap map;
  config::Findings findings;
  if (config::read_text(config::format_of(path), *text, path, message, map, findings)) {
    config::validate(message, map, findings);
    for (const Any& any : message.resources()) {
      if (ResourcePtr resource = read_resource(any, map, findings)) {
        file.resources.push_back(std::move(resource));
      }
    }
  }
  findings.sort();
  for (const config::ConfigError& error : findings.errors()) {
    file.errors.push_back(error.to_string());
  }
  return file;
}

std::vector<std::string> Directory::folders() const {
  std::vector<std::string> out{path_};
  for (const std::string& folder : folders_) {
    out.push_back(cat(path_, "/", folder));
  }
  return out;
}

}  // namespace sluice::control_plane
