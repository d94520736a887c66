// The composition root: the only file that names libuv, the built-in filters and the server together.
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/log_format.h"
#include "config/bootstrap.h"
#include "config/check.h"
#include "event/uv_files.h"
#include "event/uv_loop.h"
#include "event/uv_signals.h"
#include "explain/explain.h"
#include "exporters/builtin.h"
#include "filters/builtin.h"
#include "net/uv_datagrams.h"
#include "net/uv_network.h"
#include "net/uv_resolver.h"
#include "proxy/reason_text.h"
#include "server/options.h"
#include "server/platform.h"
#include "server/server.h"
#include "xds/google_grpc/google_client.h"
#include "xds/google_grpc/google_grpc_transport.h"

namespace {

using namespace sluice;

// Seams on libuv; a thread for each worker. Thread: main.
class UvPlatform final : public server::Platform {
 public:
  explicit UvPlatform(const server::Options& options)
      : network_(loop_),
        files_(loop_, options.file_flush_interval, size_t{options.file_flush_min_size_kb} * 1024),
        random_(SeededRandom::seed_from_kernel()) {}

  event::Loop& main_loop() override { return loop_; }
  net::Network& main_network() override { return network_; }
  event::Files& files() override { return files_; }
  Random& random() override { return random_; }
  event::UvLoop& uv_loop() { return loop_; }

  std::unique_ptr<net::Resolver> make_resolver(const net::ResolverOptions& options) override {
    return std::make_unique<net::UvResolver>(loop_, options);
  }
  std::unique_ptr<xds::AdsTransport> make_google_grpc(const model::GoogleGrpc& service, stats::Registry& registry,
                                                      stats::WorkerCells& cells) override {
    return xds::make_google_grpc_transport(service, loop_, registry, cells);
  }
  std::unique_ptr<net::Datagrams> make_datagrams(const net::Address& to) override {
    return std::make_unique<net::UvDatagrams>(to);
  }
  server::WorkerSeams make_worker(uint32_t) override {
    server::WorkerSeams seams;
    auto loop = std::make_unique<event::UvLoop>();
    seams.network = std::make_unique<net::UvNetwork>(*loop);
    seams.loop = std::move(loop);
    seams.random = std::make_unique<SeededRandom>(SeededRandom::seed_from_kernel());
    return seams;
  }
  void spawn(event::Loop& loop) override {
    threads_.emplace_back([&loop] { loop.run(); });
  }
  void time_turns(event::Loop& loop, TellTurn tell) override {
    static_cast<event::UvLoop&>(loop).time_turns(std::move(tell));
  }
  void watch_over(const server::Guard& guard) override {
    guarding_ = true;
    guard_thread_ = std::thread([this, &guard] { keep_looking(guard); });
  }
  void join() override {
    if (guard_thread_.joinable()) {
      {
        const std::lock_guard lock(guard_mutex_);
        guarding_ = false;
      }
      guard_wake_.notify_one();
      guard_thread_.join();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  void keep_looking(const server::Guard& guard) {
    std::unique_lock lock(guard_mutex_);
    while (!guard_wake_.wait_for(lock, guard.interval(), [this] { return !guarding_; })) {
      if (const auto why = guard.verdict(event::UvLoop::clock_now())) {
        SLUICE_LOG(kCritical, kMain, *why, ": the process ends");
        std::abort();
      }
    }
  }

  event::UvLoop loop_;
  net::UvNetwork network_;
  event::UvFiles files_;
  SeededRandom random_;
  std::vector<std::thread> threads_;
  std::thread guard_thread_;
  std::mutex guard_mutex_;
  std::condition_variable guard_wake_;
  bool guarding_ = false;
};

// All that this build can do.
config::Extensions builtin() {
  config::Extensions extensions = filters::builtin();
  exporters::add_to(extensions);
  extensions.set_google_grpc(&xds::make_google_service);
  return extensions;
}

int fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return 1;
}

// All errors; on a terminal each with its line.
int fail(const config::CompileOutcome& outcome) {
  config::Excerpts excerpts;
  const bool terminal = isatty(STDERR_FILENO) == 1;
  for (const config::ConfigError& error : outcome.findings.errors()) {
    std::fprintf(stderr, "%s\n%s", error.to_string().c_str(), terminal ? excerpts.of(error).c_str() : "");
  }
  return 1;
}

constexpr std::string_view kCheckUsage = "usage: sluice check FILE... [--report text|json|sarif]";

// sluice check FILE...: fails when one of them has an error.
int check(const std::vector<std::string>& arguments) {
  config::ReportFormat format = config::ReportFormat::kText;
  std::vector<std::string> files;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] != "--report") {
      files.push_back(arguments[i]);
      continue;
    }
    const std::string name = i + 1 < arguments.size() ? arguments[++i] : "";
    if (name != "text" && name != "json" && name != "sarif") {
      return fail(std::string(kCheckUsage));
    }
    format = name == "json"    ? config::ReportFormat::kJson
             : name == "sarif" ? config::ReportFormat::kSarif
                               : config::ReportFormat::kText;
  }
  if (files.empty() || files.front().starts_with("-")) {
    return fail(std::string(kCheckUsage));
  }
  config::Extensions extensions = builtin();
  std::vector<config::CheckFinding> findings;
  bool failed = false;
  for (const std::string& file : files) {
    config::BootstrapOptions source;
    source.path = file;
    const config::CompileOutcome outcome = config::compile_bootstrap(source, extensions, nullptr);
    failed |= !outcome.bootstrap.has_value();
    const auto found = config::check(outcome);
    findings.insert(findings.end(), found.begin(), found.end());
  }
  std::fputs(config::print_report(findings, format).c_str(), stdout);
  return failed ? 1 : 0;
}

int serve(UvPlatform& platform, const server::Options& options, config::CompiledBootstrap bootstrap) {
  server::Server server(platform, options, std::move(bootstrap));
  if (Result<void> started = server.start(); !started) {
    return fail(started.error());
  }
  event::UvSignals signals(platform.uv_loop(), {SIGTERM, SIGINT, SIGUSR1, SIGHUP}, [&server](int signal) {
    if (signal == SIGTERM || signal == SIGINT) {
      server.shutdown();
    } else if (signal == SIGUSR1) {
      server.reopen_logs();
    }
  });
  platform.main_loop().run();
  return 0;
}

// `sluice explain`: what the configuration does to one request.
int explain_request(const std::vector<std::string>& words) {
  const Result<explain::Question> question = explain::parse_question(words);
  if (!question) {
    return fail(question.error());
  }
  log::set_level(log::Level::kError);
  config::Extensions extensions = builtin();
  config::BootstrapOptions source;
  source.path = question->config_path;
  config::CompileOutcome outcome = config::compile_bootstrap(source, extensions, nullptr);
  if (!outcome.bootstrap) {
    return fail(outcome);
  }
  const Result<explain::Seen> seen = explain::run_dry(*outcome.bootstrap, *question);
  if (!seen) {
    return fail("sluice: " + seen.error());
  }
  const explain::Note report = explain::tell(*seen, *question);
  std::fputs((question->json ? explain::print_json(report) : explain::print_text(report)).c_str(), stdout);
  return 0;
}

// `sluice flags [WORD]`: what response flags, details and statuses mean.
int print_flags(std::string_view word) {
  const std::string text = proxy::reasons_text(word);
  if (text.empty()) {
    return fail(std::string("sluice: no reason has the flag, status or details '").append(word).append("'"));
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "check") {
    return check({argv + 2, argv + argc});
  }
  if (argc > 1 && std::string_view(argv[1]) == "explain") {
    return explain_request({argv + 2, argv + argc});
  }
  if (argc > 1 && std::string_view(argv[1]) == "flags") {
    return print_flags(argc > 2 ? argv[2] : "");
  }
  Result<server::Options> parsed = server::parse_options({argv + 1, argv + argc});
  if (!parsed) {
    return fail("sluice: " + parsed.error());
  }
  const server::Options& options = *parsed;
  if (options.print_help) {
    std::fputs(server::help_text().c_str(), stdout);
    return 0;
  }
  if (options.print_version) {
    std::printf("%s\n", server::version_text().c_str());
    return 0;
  }
  if (options.print_hot_restart_version) {
    std::puts("disabled");
    return 0;
  }
  log::set_level(options.log_level);
  const std::string_view log_format = options.log_format.empty() ? log::kDefaultFormat : options.log_format;
  const auto escapes = options.log_format_escaped ? log::Escapes::kControls : log::Escapes::kNone;
  if (Result<void> set = log::set_format(log_format, escapes); !set) {
    return fail("sluice: --log-format: " + set.error());
  }
  for (const auto& [component, level] : options.component_levels) {
    log::set_level(component, level);
  }
  if (!options.log_path.empty()) {
    if (Result<void> opened = log::open_file(options.log_path); !opened) {
      return fail("sluice: " + opened.error());
    }
  }
  if (options.enable_core_dump) {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &unlimited) != 0) {
      SLUICE_LOG(kWarning, kMain, "--enable-core-dump: the limit on core files cannot be lifted");
    }
  }
  if (!options.base_id_path.empty()) {
    std::ofstream(options.base_id_path) << options.base_id;
  }
  UvPlatform platform(options);
  config::Extensions extensions = builtin();
  config::BootstrapOptions source;
  source.path = options.config_path;
  source.yaml = options.config_yaml;
  source.allow_unknown_fields = options.allow_unknown_static_fields;
  source.reject_unknown_dynamic_fields = options.reject_unknown_dynamic_fields;
  source.service_node = options.service_node;
  source.service_cluster = options.service_cluster;
  source.service_zone = options.service_zone;
  const bool validate = options.mode == server::Mode::kValidate;
  config::CompileOutcome outcome =
      config::compile_bootstrap(source, extensions, validate ? nullptr : &platform.files());
  if (!outcome.bootstrap) {
    return fail(outcome);
  }
  for (const config::ConfigNote& note : outcome.findings.notes()) {
    if (note.kind == config::ConfigNote::Kind::UnknownField) SLUICE_LOG(kWarning, kConfig, note.what.to_string());
  }
  if (outcome.bootstrap->log_format) {
    if (!options.log_format.empty()) {
      return fail("sluice: application_log_config.log_format and --log-format exclude each other");
    }
    (void)log::set_format(*outcome.bootstrap->log_format, escapes).ok();  // it was checked
  }
  if (validate) {
    std::printf("configuration '%s' OK\n", options.config_path.c_str());
    return 0;
  }
  config::CompiledBootstrap bootstrap = std::move(*outcome.bootstrap);
  outcome = {};
  malloc_trim(0);
  return serve(platform, options, std::move(bootstrap));
}
