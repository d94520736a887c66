#include "test/player/case_proxy.h"

#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "config/bootstrap.h"
#include "exporters/builtin.h"
#include "filters/builtin.h"

namespace sluice::player {

CaseProxy::CaseProxy(test::SimFabric& fabric) : platform_(fabric, kHost), extensions_(filters::builtin()) {
  exporters::add_to(extensions_);
  platform_.zone.set("localhost", {kHost});
}

Result<void> CaseProxy::start(const Spec& argv) {
  std::vector<std::string> words;
  for (const Spec& word : argv.list()) {
    words.push_back(word.text());
  }
  Result<server::Options> options = server::parse_options(words);
  if (!options) {
    return Error{options.error()};
  }
  log::set_level(options->log_level);
  config::BootstrapOptions source;
  source.path = options->config_path;
  source.yaml = options->config_yaml;
  source.allow_unknown_fields = options->allow_unknown_static_fields;
  source.reject_unknown_dynamic_fields = options->reject_unknown_dynamic_fields;
  source.service_node = options->service_node;
  source.service_cluster = options->service_cluster;
  source.service_zone = options->service_zone;
  config::CompileOutcome outcome = config::compile_bootstrap(source, extensions_, &platform_.files());
  if (!outcome.bootstrap) {
    return Error{outcome.error_text()};
  }
  server_ = std::make_unique<server::Server>(platform_, *options, std::move(*outcome.bootstrap));
  if (Result<void> started = server_->start(); !started) {
    server_.reset();
    return started;
  }
  return {};
}

void CaseProxy::put_file(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  platform_.files().write(path, content);
}

void CaseProxy::shut_down() {
  if (server_ != nullptr) {
    server_->shutdown();
  }
}

void CaseProxy::reopen_logs() {
  if (server_ != nullptr) {
    server_->reopen_logs();
  }
}

}  // namespace sluice::player
