// /server_info and /hot_restart_version.
#include "base/log.h"
#include "base/strings.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {
namespace {

// As protobuf writes a Duration: "33s", "0.020s".
std::string duration_text(Duration duration) {
  const int64_t seconds = duration.count() / 1'000'000'000;
  const int64_t us = duration.count() / 1000 % 1'000'000;
  if (us == 0) {
    return cat(seconds, "s");
  }
  const bool whole_ms = us % 1000 == 0;
  std::string fraction = cat(whole_ms ? us / 1000 : us);
  fraction.insert(0, (whole_ms ? 3 : 6) - fraction.size(), '0');
  return cat(seconds, ".", fraction, "s");
}

std::string_view hot_restart_version(const Options& options) { return options.disable_hot_restart ? "disabled" : "none"; }

void write_options(JsonWriter& json, const Options& options, uint32_t workers) {
  json.begin_map("command_line_options");
  json.text("base_id", cat(options.base_id));
  json.number("concurrency", workers);
  json.text("config_path", options.config_path);
  json.text("config_yaml", options.config_yaml);
  json.boolean("allow_unknown_static_fields", options.allow_unknown_static_fields);
  json.text("local_address_ip_version", options.local_address_v6 ? "v6" : "v4");
  json.text("log_level", log::name_of(options.log_level));
  json.text("log_path", options.log_path);
  json.text("service_cluster", options.service_cluster);
  json.text("service_node", options.service_node);
  json.text("service_zone", options.service_zone);
  json.text("file_flush_interval", duration_text(options.file_flush_interval));
  json.text("drain_time", duration_text(options.drain_time));
  json.text("parent_shutdown_time", duration_text(options.parent_shutdown_time));
  json.text("mode", options.mode == Mode::kServe ? "Serve" : "Validate");
  json.boolean("disable_hot_restart", options.disable_hot_restart);
  json.number("restart_epoch", options.restart_epoch);
  json.boolean("reject_unknown_dynamic_fields", options.reject_unknown_dynamic_fields);
  json.text("drain_strategy", options.drain_strategy == "immediate" ? "Immediate" : "Gradual");
  json.end_map();
}

void write_node(JsonWriter& json, const NodeInfo& node) {
  json.begin_map("node");
  json.text("id", node.id);
  json.text("cluster", node.cluster);
  if (!node.region.empty() || !node.zone.empty() || !node.sub_zone.empty()) {
    json.begin_map("locality");
    json.text("region", node.region);
    json.text("zone", node.zone);
    json.text("sub_zone", node.sub_zone);
    json.end_map();
  }
  json.text("user_agent_name", "envoy");
  json.end_map();
}

}  // namespace

void server_info_page(const Request&, AdminSource& source, Reply& reply) {
  JsonWriter json;
  json.begin_map();
  json.text("version", version_text());
  json.text("state", name_of(source.state()));
  json.text("uptime_current_epoch", cat(source.uptime_s(), "s"));
  json.text("uptime_all_epochs", cat(source.uptime_s(), "s"));
  json.text("hot_restart_version", hot_restart_version(source.options()));
  write_options(json, source.options(), source.workers());
  write_node(json, source.node());
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

void hot_restart_version_page(const Request&, AdminSource& source, Reply& reply) {
  reply.body = hot_restart_version(source.options());
}

}  // namespace sluice::server::admin
