// control_plane: serves a directory of resources over xDS; the reference for trying things out and for tests.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "event/uv_files.h"
#include "event/uv_loop.h"
#include "event/uv_signals.h"
#include "net/uv_network.h"
#include "tools/control_plane/clients.h"
#include "tools/control_plane/directory.h"
#include "tools/control_plane/directory_watch.h"
#include "tools/control_plane/grpc_server.h"
#include "tools/control_plane/status.h"
#include "tools/control_plane/status_page.h"

namespace {

using namespace sluice;
using namespace sluice::control_plane;

constexpr const char* kHelp =
    R"(control_plane DIRECTORY [OPTION]...    serves the resources of a directory over xDS (gRPC), and watches it
control_plane --check DIRECTORY        reads it once; the status is 1 when there are errors
control_plane --status IP:PORT         prints what each client of a running one has and refuses

  --listen ADDRESS       of gRPC: IP:PORT or unix:PATH (127.0.0.1:18000)
  --tls-certificate FILE, --tls-key FILE
                         PEM: TLS instead of plain text
  --tls-client-ca FILE   and clients must have a certificate that this one signed
  --status-page IP:PORT  of HTTP: / is text, /json is JSON (127.0.0.1:18001)
  --json                 with --status: JSON
  --log-level LEVEL      trace, debug, info, warning, error, off (info)

DIRECTORY/*.yaml (.yml, .json) is for every node, DIRECTORY/NAME/*.yaml for the nodes whose id, else whose cluster, is
NAME. A file holds `resources: [...]`, each with its "@type". All of it is read again when something changes; with an
error in it, what was served before is served on.
)";

struct Words {
  std::string tls_certificate, tls_key, tls_client_ca;
  std::string directory, listen = "127.0.0.1:18000", status_page = "127.0.0.1:18001", status_of;
  log::Level log_level = log::Level::kInfo;
  bool check = false, json = false, help = false;
};

Result<Words> parse(const std::vector<std::string>& arguments) {
  Words words;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    std::string* const value = word == "--listen"            ? &words.listen
                               : word == "--status-page"     ? &words.status_page
                               : word == "--status"          ? &words.status_of
                               : word == "--tls-certificate" ? &words.tls_certificate
                               : word == "--tls-key"         ? &words.tls_key
                               : word == "--tls-client-ca"   ? &words.tls_client_ca
                                                             : nullptr;
    if (value != nullptr || word == "--log-level") {
      if (i + 1 == arguments.size()) {
        return Error{cat(word, " needs a value")};
      }
      const std::string& next = arguments[++i];
      if (value != nullptr) {
        *value = next;
        continue;
      }
      const Result<log::Level> level = log::parse_level(next);
      if (!level) {
        return Error{level.error()};
      }
      words.log_level = *level;
    } else if (word == "--check" || word == "--json" || word == "--help") {
      (word == "--check" ? words.check : word == "--json" ? words.json : words.help) = true;
    } else if (word.starts_with("-") || !words.directory.empty()) {
      return Error{cat("what is ", word, "? (--help)")};
    } else {
      words.directory = word;
    }
  }
  while (words.directory.size() > 1 && words.directory.ends_with('/')) {
    words.directory.pop_back();
  }
  if (words.directory.empty() && words.status_of.empty() && !words.help) {
    return Error{"which directory? (--help)"};
  }
  if (words.tls_certificate.empty() != words.tls_key.empty() ||
      (words.tls_certificate.empty() && !words.tls_client_ca.empty())) {
    return Error{"--tls-certificate and --tls-key belong together, and --tls-client-ca to both"};
  }
  return words;
}

// IP:PORT.
Result<net::Address> parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_number<uint16_t>(text.substr(colon + 1));
  if (!port) {
    return Error{cat(text, " is not IP:PORT")};
  }
  std::string ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) {
    ip = ip.substr(1, ip.size() - 2);
  }
  return net::Address::from_ip(ip, *port);
}

int fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return 1;
}

// All that runs. Thread: main.
class ControlPlane {
 public:
  explicit ControlPlane(const Words& words) : directory_(files_, words.directory) {
    reading_.directory = words.directory;
  }
  // After run(): gRPC ends while the loop still takes its posts.
  ~ControlPlane() { grpc_.reset(); }

  Result<void> start(const Words& words) {
    Result<WorldPtr> world = directory_.read();
    if (!world) {
      return Error{world.error()};
    }
    clients_ = std::make_unique<Clients>(std::move(*world));
    reading_.taken = 1;
    reading_.files = directory_.file_count();
    watch_folders();
    Result<net::Address> address = parse_address(words.status_page);
    if (!address) {
      return Error{address.error()};
    }
    Result<std::unique_ptr<net::ListenSocket>> socket = network_.bind(*address, {.reuse_port = false}, 1);
    if (!socket) {
      return Error{socket.error()};
    }
    socket_ = std::move(*socket);
    page_ = std::make_unique<StatusPage>(loop_, network_, *socket_, [this](std::string_view path) {
      return path == "/"       ? status_text(reading_, *clients_)
             : path == "/json" ? status_json(reading_, *clients_)
                               : std::string();
    });
    Result<std::optional<ServerTls>> tls = read_tls(words);
    if (!tls) {
      return Error{tls.error()};
    }
    Result<std::unique_ptr<GrpcServer>> grpc = GrpcServer::start(words.listen, *tls, loop_, *clients_);
    if (!grpc) {
      return Error{grpc.error()};
    }
    grpc_ = std::move(*grpc);
    SLUICE_LOG(kInfo, kMain, "serving ", words.directory, " on ", words.listen, ", status on http://",
               socket_->address().to_string(), "/", *tls ? ", with TLS" : "");
    return {};
  }

  void run() {
    event::UvSignals signals(loop_, {SIGTERM, SIGINT}, [this](int) { loop_.stop(); });
    loop_.run();
  }

 private:
  // Several changes at once are read as one.
  static constexpr Duration kSoon = std::chrono::milliseconds(10);

  void changed() {
    if (!soon_.armed()) {
      soon_.arm(kSoon);
    }
  }

  Result<std::optional<ServerTls>> read_tls(const Words& words) {
    if (words.tls_certificate.empty()) {
      return std::optional<ServerTls>();
    }
    ServerTls tls;
    for (const auto& [path, text] :
         {std::pair(&words.tls_certificate, &tls.certificate), std::pair(&words.tls_key, &tls.key),
          std::pair(&words.tls_client_ca, &tls.client_ca)}) {
      if (path->empty()) {
        continue;
      }
      Result<std::string> read = files_.read(*path);
      if (!read) {
        return Error{read.error()};
      }
      *text = std::move(*read);
    }
    return std::optional(std::move(tls));
  }

  void watch_folders() {
    if (Result<void> watched = watch_.add(directory_.folders()); !watched) {
      SLUICE_LOG(kWarning, kMain, watched.error());
    }
  }

  void read_again() {
    Result<WorldPtr> world = directory_.read();
    watch_folders();
    reading_.files = directory_.file_count();
    if (!world) {
      ++reading_.refused;
      reading_.errors = world.error();
      SLUICE_LOG(kWarning, kConfig, "what was served before is served on:\n", reading_.errors);
      return;
    }
    ++reading_.taken;
    reading_.errors.clear();
    SLUICE_LOG(kDebug, kConfig, "a new world out of ", reading_.files, " files");
    clients_->set_world(std::move(*world));
  }

  event::UvLoop loop_;
  net::UvNetwork network_{loop_};
  event::UvFiles files_{loop_};
  Directory directory_;
  DirectoryWatch watch_{loop_, [this] { changed(); }};
  event::Timer soon_{loop_.timers(), [this] { read_again(); }};
  Reading reading_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<StatusPage> page_;
  std::unique_ptr<GrpcServer> grpc_;
};

int check(const std::string& path) {
  event::UvLoop loop;
  event::UvFiles files(loop);
  Directory directory(files, path);
  const Result<WorldPtr> world = directory.read();
  if (!world) {
    return fail(world.error());
  }
  std::printf("%s: %zu files OK\n", path.c_str(), directory.file_count());
  return 0;
}

int print_status(const Words& words) {
  const Result<net::Address> address = parse_address(words.status_of);
  if (!address) {
    return fail(cat("control_plane: ", address.error()));
  }
  const Result<std::string> status = fetch_status(*address, words.json ? "/json" : "/");
  if (!status) {
    return fail(cat("control_plane: ", status.error()));
  }
  std::fputs(status->c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Result<Words> words = parse({argv + 1, argv + argc});
  if (!words) {
    return fail(cat("control_plane: ", words.error()));
  }
  if (words->help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  log::set_level(words->log_level);
  if (!words->status_of.empty()) {
    return print_status(*words);
  }
  if (words->check) {
    return check(words->directory);
  }
  ControlPlane control_plane(*words);
  if (const Result<void> started = control_plane.start(*words); !started) {
    return fail(started.error());
  }
  control_plane.run();
  return 0;
}
