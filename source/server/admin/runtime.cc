// /runtime and /runtime_modify.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {

void runtime_page(const Request&, AdminSource& source, Reply& reply) {
  const RuntimeInfo runtime = source.runtime();
  JsonWriter json;
  json.begin_map();
  json.begin_list("layers");
  for (const std::string& layer : runtime.layers) {
    json.text(layer);
  }
  json.end_list();
  json.begin_map("entries");
  for (const auto& [key, values] : runtime.entries) {
    json.begin_map(key);
    json.begin_list("layer_values");
    std::string_view last;
    for (const std::string& value : values) {
      json.text(value);
      last = value.empty() ? last : std::string_view(value);
    }
    json.end_list();
    json.text("final_value", last);
    json.end_map();
  }
  json.end_map();
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

void runtime_modify_page(const Request& request, AdminSource& source, Reply& reply) {
  if (request.query.empty()) {
    reply.fail(400,
               "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n"
               "       or send the parameters as form values\n"
               "use an empty value to remove a previously added override");
    return;
  }
  // The first value of a key counts.
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& one : request.query) {
    if (std::none_of(values.begin(), values.end(), [&](const auto& before) { return before.first == one.first; })) {
      values.push_back(one);
    }
  }
  if (const auto modified = source.modify_runtime(values); !modified.ok()) {
    reply.fail(503, modified.error());
    return;
  }
  reply.body = "OK\n";
}

}  // namespace sluice::server::admin
