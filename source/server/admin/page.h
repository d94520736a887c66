// Page: one endpoint of the admin server. Request: what was asked. Reply: what is answered.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "server/admin/admin_source.h"

namespace sluice::server::admin {

inline constexpr std::string_view kText = "text/plain; charset=UTF-8";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kHtml = "text/html; charset=UTF-8";

// Thread: main.
struct Request {
  std::string method;
  std::string path;                                        // without the query
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order; a form's fields of a POST too

  // Null when it is not there; an empty text when it has no value.
  const std::string* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Empty when it is not there.
  std::string_view get(std::string_view name) const;
};

// Thread: main.
struct Reply {
  uint16_t status = 200;
  std::string_view content_type = kText;
  std::string body;
  // Runs when the answer has left, or cannot leave any more.
  Function<void()> afterwards;

  void fail(uint16_t with, std::string text) {
    status = with;
    content_type = kText;
    body = std::move(text);
  }
};

// What ?name= means.
struct Parameter {
  std::string_view name;
  std::string_view help;
};

enum class Effect : uint8_t { kShows, kChanges };  // what changes something must be POSTed

// A row of the list of endpoints.
struct Page {
  std::string_view path;
  Effect effect;
  std::string_view help;
  std::span<const Parameter> parameters;
  void (*answer)(const Request& request, AdminSource& source, Reply& reply);
};

// All pages, by path.
std::span<const Page> pages();
// Finds the page, checks the method, answers. HEAD is GET (the connection leaves the body out).
void answer(const Request& request, AdminSource& source, Reply& reply);
// `/path?query`; and the fields of a form in a body.
Request parse_request(std::string_view method, std::string_view target, std::string_view content_type,
                      std::string_view body);

// A filter of names by a regular expression (RE2) that may match anywhere. Error: what is wrong with it.
Result<Function<bool(std::string_view)>> name_filter(std::string_view pattern);

// ---- the pages, by theme; each in the .cc of that name
void home_page(const Request&, AdminSource&, Reply&);
void help_page(const Request&, AdminSource&, Reply&);
void certs_page(const Request&, AdminSource&, Reply&);
void clusters_page(const Request&, AdminSource&, Reply&);
void config_dump_page(const Request&, AdminSource&, Reply&);
void init_dump_page(const Request&, AdminSource&, Reply&);
void listeners_page(const Request&, AdminSource&, Reply&);
void drain_listeners_page(const Request&, AdminSource&, Reply&);
void logging_page(const Request&, AdminSource&, Reply&);
void reopen_logs_page(const Request&, AdminSource&, Reply&);
void memory_page(const Request&, AdminSource&, Reply&);
void xds_history_page(const Request&, AdminSource&, Reply&);
void runtime_page(const Request&, AdminSource&, Reply&);
void runtime_modify_page(const Request&, AdminSource&, Reply&);
void ready_page(const Request&, AdminSource&, Reply&);
void server_info_page(const Request&, AdminSource&, Reply&);
void hot_restart_version_page(const Request&, AdminSource&, Reply&);
void health_fail_page(const Request&, AdminSource&, Reply&);
void health_ok_page(const Request&, AdminSource&, Reply&);
void quit_page(const Request&, AdminSource&, Reply&);
void stats_page(const Request&, AdminSource&, Reply&);
void prometheus_page(const Request&, AdminSource&, Reply&);
void reset_counters_page(const Request&, AdminSource&, Reply&);
// What Envoy has and this proxy does not: 501 with the reason.
void lookups_page(const Request&, AdminSource&, Reply&);
void profiler_page(const Request&, AdminSource&, Reply&);

}  // namespace sluice::server::admin
