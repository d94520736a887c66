// TlsLayer: TLS of a client or an origin of a case, on OpenSSL alone, so that the proxy's own TLS is not tested against
// itself. Knows no connection: it takes and gives bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/player/spec.h"

struct ssl_st;
struct ssl_ctx_st;

namespace sluice::player {

// One end. Thread: the simulation's.
class TlsLayer {
 public:
  // As a step's `tls` says, with certificates out of the folder `pki`.
  static std::unique_ptr<TlsLayer> client(const Spec& tls, const std::vector<std::string>& alpn,
                                          const std::string& pki);
  // What the connections of an origin share, as its spec says.
  using Server = std::shared_ptr<ssl_ctx_st>;
  static Server new_server(const Spec& origin, const std::vector<std::string>& alpn, const std::string& pki);
  static std::unique_ptr<TlsLayer> server(const Server& server);
  ~TlsLayer();
  TlsLayer(const TlsLayer&) = delete;
  TlsLayer& operator=(const TlsLayer&) = delete;

  // Records that came; what was in them goes to the end of `plain`. Begins the handshake when empty.
  void take(std::string_view records, std::string& plain);
  void write(std::string_view plain);
  // Says that nothing more will come.
  void finish();
  // Records to send.
  std::string output();

  bool open() const { return open_; }
  bool peer_finished() const { return peer_finished_; }
  // OpenSSL's reason, in the letters of recordings; empty: none.
  const std::string& failure() const { return failure_; }
  // What a recording has of the handshake. Certificates stand as {"$cert": their SHA-256}.
  const Value::Map& facts() const { return facts_; }

 private:
  enum class Role : uint8_t { kClient, kServer };
  TlsLayer(ssl_st* ssl, Role role, bool tell_cipher);
  void fail();
  void note_facts();
  // The name that a client asks for, also when it resumes a session.
  static int on_name(ssl_st* ssl, int* alert, void*);

  ssl_st* const ssl_;
  const Role role_;
  const bool tell_cipher_;
  bool open_ = false;
  bool peer_finished_ = false;
  std::string failure_;
  Value asked_name_;
  Value::Map facts_;
};

}  // namespace sluice::player
