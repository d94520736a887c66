#include "server/options.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/strings.h"
#include "server/foreign_loggers.h"

namespace sluice::server {

namespace {

using Apply = Result<void> (*)(Options&, std::string_view value);

struct Flag {
  std::string_view name;   // without dashes
  std::string_view short_name;
  std::string_view value;  // what the value is, for the help; empty: a switch
  std::string_view help;
  Apply apply;
};

template <typename T>
Result<void> number(std::string_view flag, std::string_view text, T& out) {
  const std::optional<T> value = parse_number<T>(text);
  if (!value) {
    return Error{cat("--", flag, " needs a number, not '", text, "'")};
  }
  out = *value;
  return {};
}

template <typename Unit>
Result<void> span(std::string_view flag, std::string_view text, Duration& out) {
  uint32_t value = 0;
  Result<void> done = number(flag, text, value);
  if (done) {
    out = Unit(value);
  }
  return done;
}

Result<void> level(Options& o, std::string_view text) {
  Result<log::Level> parsed = log::parse_level(text);
  if (!parsed) {
    return Error{parsed.error()};
  }
  o.log_level = *parsed;
  return {};
}

// "upstream:debug,http:trace"
Result<void> component_levels(Options& o, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    const size_t colon = part.find(':');
    Result<log::Level> parsed = log::parse_level(colon == std::string_view::npos ? "" : part.substr(colon + 1));
    if (!parsed) {
      return Error{cat("--component-log-level '", part, "': ", parsed.error())};
    }
    bool known = is_foreign_logger(part.substr(0, colon));
    for (int i = 0; i < static_cast<int>(log::Component::kCount); ++i) {
      const auto component = static_cast<log::Component>(i);
      if (log::name_of(component) == part.substr(0, colon)) {
        o.component_levels.emplace_back(component, *parsed);
        known = true;
      }
    }
    if (!known) {
      return Error{cat("--component-log-level: unknown component '", part.substr(0, colon), "'")};
    }
  }
  return {};
}

Result<void> mode(Options& o, std::string_view text) {
  if (text == "serve") {
    o.mode = Mode::kServe;
  } else if (text == "validate") {
    o.mode = Mode::kValidate;
  } else {
    return Error{cat("--mode must be serve or validate, not '", text, "'")};
  }
  return {};
}

Result<void> strategy(Options& o, std::string_view text) {
  if (text != "gradual" && text != "immediate") {
    return Error{cat("--drain-strategy must be gradual or immediate, not '", text, "'")};
  }
  o.drain_strategy = text;
  return {};
}

Result<void> ip_version(Options& o, std::string_view text) {
  if (text != "v4" && text != "v6") {
    return Error{cat("--local-address-ip-version must be v4 or v6, not '", text, "'")};
  }
  o.local_address_v6 = text == "v6";
  return {};
}

// "tag:value"; a value has no dot, because stats are named in dots.
Result<void> stats_tag(Options& o, std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view tag = text.substr(0, colon);
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (colon == std::string_view::npos || tag.empty() || !std::all_of(tag.begin(), tag.end(), plain)) {
    return Error{cat("--stats-tag needs TAG:VALUE with a tag of letters and digits, not '", text, "'")};
  }
  const std::string_view value = text.substr(colon + 1);
  if (value.empty() || value.find('.') != std::string_view::npos) {
    return Error{cat("--stats-tag: the value of '", tag, "' must be a text without a dot")};
  }
  for (const auto& [known, other] : o.stats_tags) {
    if (known == tag) {
      return Error{cat("--stats-tag: '", tag, "' is given twice")};
    }
  }
  o.stats_tags.emplace_back(tag, value);
  return {};
}

Result<void> socket_mode(Options&, std::string_view text) {
  const bool octal = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  return octal ? Result<void>() : Result<void>(Error{cat("--socket-mode needs an octal number, not '", text, "'")});
}

Result<void> accepted(Options&, std::string_view) { return {}; }

constexpr Flag kFlags[] = {
    {"config-path", "c", "FILE", "the bootstrap configuration, YAML or JSON",
     [](Options& o, std::string_view v) -> Result<void> { o.config_path = v; return {}; }},
    {"config-yaml", "", "TEXT", "configuration merged over the file's",
     [](Options& o, std::string_view v) -> Result<void> { o.config_yaml = v; return {}; }},
    {"mode", "", "serve|validate", "validate: check the configuration and end", mode},
    {"concurrency", "", "N", "worker threads (default: the CPUs this process may use)",
     [](Options& o, std::string_view v) { return number("concurrency", v, o.concurrency); }},
    {"log-level", "l", "LEVEL", "trace, debug, info, warning, error, critical, off", level},
    {"component-log-level", "", "LIST", "levels of single components: http:debug,upstream:trace", component_levels},
    {"log-path", "", "FILE", "the application log (default: standard error)",
     [](Options& o, std::string_view v) -> Result<void> { o.log_path = v; return {}; }},
    {"file-flush-interval-msec", "", "MS", "how often access logs are written out",
     [](Options& o, std::string_view v) { return span<std::chrono::milliseconds>("file-flush-interval-msec", v, o.file_flush_interval); }},
    {"file-flush-min-size-kb", "", "KB", "... or as soon as so much is waiting",
     [](Options& o, std::string_view v) { return number("file-flush-min-size-kb", v, o.file_flush_min_size_kb); }},
    {"log-format", "", "PATTERN", "the application log's lines, in the words of spdlog",
     [](Options& o, std::string_view v) -> Result<void> { o.log_format = v; return {}; }},
    {"log-format-escaped", "", "", "control characters in the application log are escaped",
     [](Options& o, std::string_view) -> Result<void> { o.log_format_escaped = true; return {}; }},
    {"log-stacktrace-single-entry", "", "", "accepted: there are no stack traces in the log", accepted},
    {"skip-deprecated-logs", "", "", "accepted: sluice check tells of deprecated fields, the log does not", accepted},
    {"allow-unknown-static-fields", "", "", "unknown fields of the bootstrap are no errors",
     [](Options& o, std::string_view) -> Result<void> { o.allow_unknown_static_fields = true; return {}; }},
    {"allow-unknown-fields", "", "", "the same, deprecated",
     [](Options& o, std::string_view) -> Result<void> { o.allow_unknown_static_fields = true; return {}; }},
    {"reject-unknown-dynamic-fields", "", "", "unknown fields of resources refuse the update",
     [](Options& o, std::string_view) -> Result<void> { o.reject_unknown_dynamic_fields = true; return {}; }},
    {"ignore-unknown-dynamic-fields", "", "", "accepted: unknown fields of resources are passed over anyway", accepted},
    {"local-address-ip-version", "", "v4|v6", "which address of this machine stands in for a client on it", ip_version},
    {"admin-address-path", "", "FILE", "the address of the admin server is written here",
     [](Options& o, std::string_view v) -> Result<void> { o.admin_address_path = v; return {}; }},
    {"last-good-config", "", "FILE", "what control planes send is kept here, and serves when they are away at the start",
     [](Options& o, std::string_view v) -> Result<void> { o.last_good_path = v; return {}; }},
    {"stats-tag", "", "TAG:VALUE", "a tag of every stat; may be given several times", stats_tag},
    {"cpuset-threads", "", "", "accepted: the affinity of the process counts anyway", accepted},
    {"enable-core-dump", "", "", "lifts the limit on core files",
     [](Options& o, std::string_view) -> Result<void> { o.enable_core_dump = true; return {}; }},
    {"enable-mutex-tracing", "", "", "accepted: no request waits for a mutex, there is no contention to trace", accepted},
    {"drain-time-s", "", "S", "how long a drain takes",
     [](Options& o, std::string_view v) { return span<std::chrono::seconds>("drain-time-s", v, o.drain_time); }},
    {"drain-strategy", "", "gradual|immediate", "how connections are told to go in a drain", strategy},
    {"parent-shutdown-time-s", "", "S", "when a parent process ends after a hot restart",
     [](Options& o, std::string_view v) { return span<std::chrono::seconds>("parent-shutdown-time-s", v, o.parent_shutdown_time); }},
    {"term-drain-s", "", "S", "after SIGTERM: end at the last exchange, at the latest after this time",
     [](Options& o, std::string_view v) { return span<std::chrono::seconds>("term-drain-s", v, o.term_drain); }},
    {"service-node", "", "ID", "node.id, when the configuration has none",
     [](Options& o, std::string_view v) -> Result<void> { o.service_node = v; return {}; }},
    {"service-cluster", "", "NAME", "node.cluster, when the configuration has none",
     [](Options& o, std::string_view v) -> Result<void> { o.service_cluster = v; return {}; }},
    {"service-zone", "", "NAME", "node.locality.zone, when the configuration has none",
     [](Options& o, std::string_view v) -> Result<void> { o.service_zone = v; return {}; }},
    {"base-id", "", "N", "accepted: there is no hot restart whose memory it would name",
     [](Options& o, std::string_view v) { return number("base-id", v, o.base_id); }},
    {"use-dynamic-base-id", "", "", "accepted, as base-id", accepted},
    {"base-id-path", "", "FILE", "the base id is written here",
     [](Options& o, std::string_view v) -> Result<void> { o.base_id_path = v; return {}; }},
    {"restart-epoch", "", "N", "accepted, and shown: there is no parent process to take over from",
     [](Options& o, std::string_view v) { return number("restart-epoch", v, o.restart_epoch); }},
    {"socket-path", "", "PATH", "accepted: the socket of a hot restart", accepted},
    {"socket-mode", "", "OCTAL", "accepted: its permissions", socket_mode},
    {"skip-hot-restart-on-no-parent", "", "", "accepted: never is a parent waited for", accepted},
    {"skip-hot-restart-parent-stats", "", "", "accepted: no stats come from a parent", accepted},
    {"hot-restart-version", "", "", "print it and end",
     [](Options& o, std::string_view) -> Result<void> { o.print_hot_restart_version = true; return {}; }},
    {"disable-hot-restart", "", "", "accepted: there is no hot restart to switch off",
     [](Options& o, std::string_view) -> Result<void> { o.disable_hot_restart = true; return {}; }},
    {"version", "", "", "print the version and end",
     [](Options& o, std::string_view) -> Result<void> { o.print_version = true; return {}; }},
    {"help", "h", "", "print this text and end",
     [](Options& o, std::string_view) -> Result<void> { o.print_help = true; return {}; }},
};

// Flags of Envoy's whose effect cannot be had.
struct Refused {
  std::string_view name;
  std::string_view why;
};
constexpr Refused kRefused[] = {
    {"enable-fine-grain-logging", "levels are set by component, see --component-log-level"},
    {"disable-extensions", "an extension that is not configured does nothing"},
};

const Flag* find_flag(std::string_view name, bool is_short) {
  for (const Flag& flag : kFlags) {
    if (!name.empty() && name == (is_short ? flag.short_name : flag.name)) {
      return &flag;
    }
  }
  return nullptr;
}

Error unknown_flag(std::string_view word, std::string_view name) {
  for (const Refused& refused : kRefused) {
    if (refused.name == name) {
      return Error{cat("not supported: --", name, ": ", refused.why)};
    }
  }
  std::vector<std::string_view> names;
  for (const Flag& flag : kFlags) {
    names.push_back(flag.name);
  }
  const std::string_view guess = nearest(name, names);
  return Error{guess.empty() ? cat("unknown flag ", word, "; --help lists all flags")
                             : cat("unknown flag ", word, "; did you mean --", guess, "?")};
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

// "QUOTA PERIOD" in microseconds, rounded up to whole CPUs; "max" or -1 and what cannot be read are no limit.
uint32_t cpus_of(const std::string& quota, const std::string& period) {
  const std::optional<uint64_t> q = parse_number<uint64_t>(trim(quota));
  const std::optional<uint64_t> p = parse_number<uint64_t>(trim(period));
  return q && p && *q > 0 && *p > 0 ? static_cast<uint32_t>((*q + *p - 1) / *p) : UINT32_MAX;
}

uint32_t quota_of_folder(const std::string& folder) {
  const std::string both = read_text(folder + "/cpu.max");  // version 2
  const size_t blank = both.find(' ');
  if (blank != std::string::npos) {
    return cpus_of(both.substr(0, blank), both.substr(blank + 1));
  }
  return cpus_of(read_text(folder + "/cpu.cfs_quota_us"), read_text(folder + "/cpu.cfs_period_us"));
}

}  // namespace

// A group's quota holds for the groups below it: the smallest on the way up counts.
uint32_t quota_cpus(const std::string& root, std::string_view groups) {
  uint32_t cpus = UINT32_MAX;
  for (const std::string_view line : split(groups, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) {
      continue;
    }
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string folder;
    if (controllers.empty()) {
      folder = root;
    } else if (controllers == "cpu" || controllers == "cpu,cpuacct" || controllers == "cpuacct,cpu") {
      folder = cat(root, "/", controllers);
    } else {
      continue;
    }
    const std::string base = folder;
    for (folder += line.substr(second + 1); folder.size() >= base.size(); folder.resize(folder.rfind('/'))) {
      cpus = std::min(cpus, quota_of_folder(folder));
    }
  }
  return std::max<uint32_t>(cpus, 1);
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.command_line = arguments;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--" || word == "--ignore_rest") {
      break;
    }
    const bool is_long = word.starts_with("--");
    if (!word.starts_with("-") || word.size() < 2) {
      return Error{cat("unexpected argument '", word, "'; --help lists all flags")};
    }
    std::string_view name = word.substr(is_long ? 2 : 1);
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Flag* flag = find_flag(name, !is_long);
    if (flag == nullptr) {
      return unknown_flag(word, name);
    }
    if (flag->value.empty()) {
      if (value) {
        return Error{cat("--", flag->name, " takes no value")};
      }
      value = "";
    } else if (!value) {
      if (i + 1 == arguments.size()) {
        return Error{cat("--", flag->name, " needs a value: ", flag->value)};
      }
      value = arguments[++i];
    }
    if (Result<void> done = flag->apply(options, *value); !done) {
      return Error{done.error()};
    }
  }
  return options;
}

std::string help_text() {
  std::string out = "sluice: an L7 proxy that runs Envoy v3 configuration.\n\n  sluice -c FILE [flags]\n  sluice check FILE... [--report text|json|sarif]\n"
      "  sluice explain -c FILE 'METHOD URL' [-H 'NAME: VALUE'] [--source IP] [--sni NAME] [--listener NAME] [--json]\n"
      "  sluice flags [WORD]\n\n";
  for (const Flag& flag : kFlags) {
    std::string left = flag.short_name.empty() ? cat("  --", flag.name) : cat("  -", flag.short_name, ", --", flag.name);
    append(left, flag.value.empty() ? "" : " ", flag.value);
    left.resize(std::max<size_t>(left.size() + 2, 42), ' ');
    append(out, left, flag.help, "\n");
  }
  return out;
}

std::string version_text() { return "sluice " SLUICE_VERSION "/" SLUICE_BUILD_TYPE; }

uint32_t available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  uint32_t cpus = 1;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    cpus = static_cast<uint32_t>(std::max(1, CPU_COUNT(&set)));
  }
  return std::min(cpus, quota_cpus("/sys/fs/cgroup", read_text("/proc/self/cgroup")));
}

}  // namespace sluice::server
