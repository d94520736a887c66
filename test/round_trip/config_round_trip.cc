// Loads a configuration, shows it as /config_dump does, and loads what was shown: it must be the same bootstrap, and
// compile again. What is secret is shown as "[redacted]": where there is any, only the reading is compared.
//
//   config_round_trip [FLAGS OF SLUICE] -c FILE
//
// Writes FILE.dumped.json. Status 0: the same; 1: not, and why; 2: FILE is refused as it is.
#include <cstdio>
#include <fstream>
#include <string>

#include "config/bootstrap.h"
#include "config/document.h"
#include "config/message_json.h"
#include "config/message_tree.h"
#include "config/reader.h"
#include "envoy/admin/v3/config_dump.pb.h"
#include "exporters/builtin.h"
#include "filters/builtin.h"
#include "server/admin/config_dump.h"
#include "server/options.h"
#include "xds/google_grpc/google_client.h"

namespace {

using namespace sluice;
using envoy::admin::v3::BootstrapConfigDump;
using envoy::config::bootstrap::v3::Bootstrap;

int fail(int status, const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return status;
}

// As the page has it.
Bootstrap shown(const Bootstrap& bootstrap) {
  Function<bool(std::string_view)> all;
  for (const auto& part : server::admin::dump_parts(bootstrap, {}, {}, all, server::admin::ShowEndpoints::kNo)) {
    if (part->GetDescriptor() == BootstrapConfigDump::descriptor()) {
      return static_cast<const BootstrapConfigDump&>(*part).bootstrap();
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Result<server::Options> options = server::parse_options({argv + 1, argv + argc});
  if (!options) return fail(2, options.error());
  config::Extensions extensions = filters::builtin();
  exporters::add_to(extensions);
  extensions.set_google_grpc(&sluice::xds::make_google_service);
  config::BootstrapOptions source;
  source.path = options->config_path;
  source.yaml = options->config_yaml;
  source.allow_unknown_fields = options->allow_unknown_static_fields;
  source.service_node = options->service_node;
  source.service_cluster = options->service_cluster;
  source.service_zone = options->service_zone;
  const config::CompileOutcome first = config::compile_bootstrap(source, extensions, nullptr);
  if (!first.bootstrap) return fail(2, first.error_text());

  const Bootstrap dumped = shown(first.document->bootstrap);
  const std::string text = config::to_json(dumped);
  const std::string path = source.path + ".dumped.json";
  std::ofstream(path) << text;

  Bootstrap read;
  config::SourceMap map;
  config::Findings findings;
  if (!config::read_text(config::Format::Json, text, path, read, map, findings)) {
    return fail(1, findings.errors().front().to_string());
  }
  if (config::bytes_of(shown(read)) != config::bytes_of(dumped))
    return fail(1, "what was shown is read as something else");
  if (text.find("[redacted]") != std::string::npos) return 0;
  source.path = path;
  source.yaml.clear();
  const config::CompileOutcome second = config::compile_bootstrap(source, extensions, nullptr);
  return second.bootstrap ? 0 : fail(1, second.error_text());
}
