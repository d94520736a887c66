// /logging: levels of the application log.
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "server/admin/page.h"
#include "server/foreign_loggers.h"

namespace sluice::server::admin {
namespace {

constexpr int kComponents = static_cast<int>(log::Component::kCount);

std::optional<log::Component> component_of(std::string_view name) {
  for (int i = 0; i < kComponents; ++i) {
    if (log::name_of(static_cast<log::Component>(i)) == name) {
      return static_cast<log::Component>(i);
    }
  }
  return std::nullopt;
}

// Without a component: of a logger that is not there.
struct Change {
  std::optional<log::Component> component;
  log::Level level;
};

// An error is one of Envoy's. "warn", which parse_level() takes on the command line, is none of its words here.
Result<Change> parse_change(std::string_view name, std::string_view level) {
  if (name.empty() || level.empty()) {
    return Error{"empty logger name or empty logger level"};
  }
  const auto component = component_of(name);
  if (!component && !is_foreign_logger(name)) {
    return Error{"unknown logger name"};
  }
  const auto parsed = log::parse_level(level);
  if (!parsed.ok() || log::name_of(*parsed) != level) {
    return Error{"unknown logger level"};
  }
  return Change{component, *parsed};
}

Result<std::vector<Change>> parse_list(std::string_view text) {
  std::vector<Change> out;
  for (const std::string_view item : split(text, ',')) {
    if (item.empty()) {
      continue;
    }
    const size_t colon = item.find(':');
    auto change = parse_change(item.substr(0, colon),
                               colon == std::string_view::npos ? std::string_view() : item.substr(colon + 1));
    if (!change.ok()) {
      return Error{change.error()};
    }
    out.push_back(*change);
  }
  return out;
}

Result<std::vector<Change>> parse_query(const Request& request) {
  if (request.query.empty()) {
    return std::vector<Change>();
  }
  if (request.query.size() > 1) {
    return Error{"invalid number of parameters"};
  }
  const auto& [name, value] = request.query.front();
  if (name == "paths") {
    return parse_list(value);
  }
  if (name == "level") {
    std::vector<Change> all;
    for (int i = 0; i < kComponents; ++i) {
      auto change = parse_change(log::name_of(static_cast<log::Component>(i)), value);
      if (!change.ok()) {
        return Error{change.error()};
      }
      all.push_back(*change);
    }
    return all;
  }
  if (name == "group") {
    return Error{"there are no groups of loggers"};
  }
  auto change = parse_change(name, value);
  if (!change.ok()) {
    return Error{change.error()};
  }
  return std::vector<Change>{*change};
}

constexpr std::string_view kUsage =
    "\nusage: /logging?<name>=<level> (change single level)\n"
    "usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n"
    "usage: /logging?level=<level> (change all levels)\n"
    "usage: /logging?group=<group_name>:<level> (change group of loggers)\n"
    "levels: trace debug info warning error critical off \n";

}  // namespace

void logging_page(const Request& request, AdminSource&, Reply& reply) {
  const auto changes = parse_query(request);
  if (changes.ok()) {
    for (const Change& change : *changes) {
      if (change.component) log::set_level(*change.component, change.level);
    }
  } else {
    reply.fail(400, cat("error: ", changes.error(), "\n", kUsage));
  }
  reply.body += "active loggers:\n";
  for (int i = 0; i < kComponents; ++i) {
    const auto component = static_cast<log::Component>(i);
    append(reply.body, "  ", log::name_of(component), ": ", log::name_of(log::level_of(component)), "\n");
  }
  reply.body += "\n";
}

}  // namespace sluice::server::admin
