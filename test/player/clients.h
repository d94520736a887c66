// The clients of a case: HTTP/1 and plain bytes. Each says what came back.
#pragma once

#include <memory>
#include <string>

#include "test/player/http1_message.h"
#include "test/player/spec.h"
#include "test/player/wire.h"

namespace sluice::player {

// One connection to the proxy, which takes one request after another. Thread: the simulation's.
class Client {
 public:
  virtual ~Client() = default;
  // What the runner shows under "client".
  virtual Task<Value::Map> request(Spec spec) = 0;
  Wire& wire() { return *wire_; }

 protected:
  explicit Client(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  const std::shared_ptr<Wire> wire_;
};

class Http1Client final : public Client {
 public:
  Http1Client(std::shared_ptr<Wire> wire, Letters letters) : Client(std::move(wire)), letters_(letters) {}
  Task<Value::Map> request(Spec spec) override;

  struct Response {
    Value::List interim;
    std::string version;
    int status = 0;  // 0: none came
    Pairs headers;
    Body body;
    std::string ended;
  };
  // The next one, after interim responses.
  Task<void> read_response(std::string_view method, Duration limit, Response& out);

 private:
  // `linger`: how long after the response to see whether the connection is closed.
  Task<Value::Map> tell(std::string_view method, Duration limit, Duration linger, Response& got);
  Task<Value::List> tunnel(Spec moves);
  const Letters letters_;
};

class RawClient final : public Client {
 public:
  explicit RawClient(std::shared_ptr<Wire> wire) : Client(std::move(wire)) {}
  Task<Value::Map> request(Spec spec) override;
};

// Of a request's spec, with the host in front, unless it is null or there already.
Pairs request_headers(const Spec& spec, std::string_view host_name);

}  // namespace sluice::player
