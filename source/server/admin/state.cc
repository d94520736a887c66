// Pages about the life of the server: ready, health, draining, the end, logs and counters.
#include "base/strings.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {
std::string_view name_of(ServerState state) {
  switch (state) {
    case ServerState::kLive:
      return "LIVE";
    case ServerState::kDraining:
      return "DRAINING";
    case ServerState::kPreInitializing:
      return "PRE_INITIALIZING";
    case ServerState::kInitializing:
      return "INITIALIZING";
  }
  return "";
}

void ready_page(const Request&, AdminSource& source, Reply& reply) {
  reply.status = source.state() == ServerState::kLive ? 200 : 503;
  reply.body = cat(name_of(source.state()), "\n");
  if (const uint32_t stale = source.stale(); stale > 0) {
    append(reply.body, "stale: ", stale, " subscriptions live on the last good configuration on disk\n");
  }
}

void health_fail_page(const Request&, AdminSource& source, Reply& reply) {
  source.fail_health_checks();
  reply.body = "OK\n";
}

void health_ok_page(const Request&, AdminSource& source, Reply& reply) {
  source.pass_health_checks();
  reply.body = "OK\n";
}

void drain_listeners_page(const Request& request, AdminSource& source, Reply& reply) {
  source.drain_listeners({.graceful = request.has("graceful"),
                          .skip_exit = request.has("skip_exit"),
                          .inbound_only = request.has("inboundonly")});
  reply.body = "OK\n";
}

// The answer leaves first.
void quit_page(const Request&, AdminSource& source, Reply& reply) {
  reply.body = "OK\n";
  reply.afterwards = [&source] { source.quit(); };
}

void reopen_logs_page(const Request&, AdminSource& source, Reply& reply) {
  source.reopen_logs();
  reply.body = "OK\n";
}

void reset_counters_page(const Request&, AdminSource& source, Reply& reply) {
  source.reset_counters();
  reply.body = "OK\n";
}

void init_dump_page(const Request&, AdminSource& source, Reply& reply) {
  reply.content_type = kJson;
  JsonWriter out;
  out.begin_map();
  if (const std::vector<std::string> awaited = source.awaited(); !awaited.empty()) {
    out.begin_list("unready_targets_dumps");
    out.begin_map();
    out.text("name", "init manager Server");
    out.begin_list("target_names");
    for (const std::string& name : awaited) {
      out.text(name);
    }
    out.end_list();
    out.end_map();
    out.end_list();
  }
  out.end_map();
  reply.body = out.take();
}

}  // namespace sluice::server::admin
