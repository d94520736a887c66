#include "xds/google_grpc/google_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "stats/names_discovery.h"
#include "xds/google_grpc/channel.h"

namespace sluice::xds {
namespace {

using grpc::ByteBuffer;
using stats::GoogleGrpcStat;
using upstream::GoogleCallOptions;
using upstream::GrpcUser;

constexpr size_t kMostQueued = 64u << 20;  // bytes of messages that the peer does not take

std::string text_of(const ByteBuffer& buffer) {
  std::string out;
  std::vector<grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    out.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return out;
}

// What the calls of a client share. Lives as long as the last of them.
struct Calls {
  explicit Calls(event::Loop& to) : loop(to) {}

  event::Loop& loop;
  std::optional<stats::Block<GoogleGrpcStat>> counts;  // the loop's; none: the client is gone
  std::mutex mutex;
  std::condition_variable left;
  size_t live = 0;  // under the mutex: calls that gRPC has not ended
};

// One stream. gRPC calls On...() on threads of its own, these post to the loop, where everything else runs. A hold
// keeps gRPC from ending the call while the loop may still start something on it. Alive as long as gRPC (self_), the
// loop or a post needs it.
class Stream final : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  Stream(std::shared_ptr<Calls> calls, GrpcUser& user) : calls_(std::move(calls)), user_(&user) {}

  // ---- the loop
  static std::shared_ptr<Stream> open(const std::shared_ptr<Calls>& calls, grpc::GenericStub& stub,
                                      const GoogleCallOptions& options, GrpcUser& user) {
    const auto call = std::make_shared<Stream>(calls, user);
    call->self_ = call;
    for (const auto& [name, value] : options.metadata) {
      call->context_.AddMetadata(name, value);
    }
    if (options.timeout.count() > 0) {
      call->context_.set_deadline(std::chrono::system_clock::now() + options.timeout);
    }
    {
      const std::lock_guard lock(calls->mutex);
      ++calls->live;
    }
    stub.PrepareBidiStreamingCall(&call->context_, std::string(options.path), {}, call.get());
    call->AddHold();
    call->StartRead(&call->in_);
    call->StartCall();
    return call;
  }

  void send(std::string_view message) {
    const std::lock_guard lock(mutex_);
    if (over_ || finished_) {
      return;
    }
    queued_ += message.size();
    if (queued_ > kMostQueued) {
      context_.TryCancel();
      return;
    }
    queue_.emplace_back(message);
    if (queue_.size() == 1) {
      write_first();
    }
  }

  void finish() {
    const std::lock_guard lock(mutex_);
    if (!over_ && !std::exchange(finished_, true) && queue_.empty()) {
      StartWritesDone();
    }
  }

  bool connected() const {
    const std::lock_guard lock(mutex_);
    return connected_;
  }
  size_t queued() const {
    const std::lock_guard lock(mutex_);
    return queued_;
  }

  void leave() {
    user_ = nullptr;
    context_.TryCancel();
    let_end();
  }

 private:
  // ---- threads of gRPC
  void OnReadDone(bool ok) override {
    if (!ok) {
      calls_->loop.post([call = self_] { call->let_end(); });
      return;
    }
    calls_->loop.post([call = self_, message = text_of(in_)] { call->received(message); });
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queued_ -= queue_.front().size();
    queue_.pop_front();
    connected_ |= ok;
    if (!ok || over_) {
      return;
    }
    if (!queue_.empty()) {
      write_first();
    } else if (finished_) {
      StartWritesDone();
    }
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Calls> calls = calls_;
    std::shared_ptr<Stream> self = std::move(self_);
    calls->loop.post([call = std::move(self), status] { call->ended(status); });
    const std::lock_guard lock(calls->mutex);
    --calls->live;
    calls->left.notify_all();
  }

  // ---- the loop
  void received(std::string_view message) {
    if (user_ != nullptr) {
      user_->on_grpc_message(message);
    }
    if (!over_) {  // only the loop sets it
      StartRead(&in_);
    }
  }
  void ended(const grpc::Status& status) {
    GrpcUser* user = std::exchange(user_, nullptr);
    if (user == nullptr) {
      return;
    }
    const auto code = static_cast<int>(status.error_code());
    if (calls_->counts && code >= 0 && code <= grpc::StatusCode::UNAUTHENTICATED) {
      calls_->counts->inc(static_cast<GoogleGrpcStat>(static_cast<int>(GoogleGrpcStat::kStreamsClosed0) + code));
    }
    user->on_grpc_end(static_cast<uint32_t>(code), status.error_message());
  }
  void let_end() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(over_, true)) {
        return;
      }
    }
    RemoveHold();
  }

  // Under the mutex.
  void write_first() {
    const grpc::Slice slice(queue_.front());
    out_ = ByteBuffer(&slice, 1);
    StartWrite(&out_);
  }

  const std::shared_ptr<Calls> calls_;
  GrpcUser* user_;  // the loop's; null: nobody listens any more
  std::shared_ptr<Stream> self_;
  grpc::ClientContext context_;
  ByteBuffer in_, out_;
  mutable std::mutex mutex_;
  bool over_ = false;              // nothing more is started
  bool finished_ = false;          // after the queue comes the end
  bool connected_ = false;         // gRPC took a message to a connection
  std::deque<std::string> queue_;  // the first is being written
  size_t queued_ = 0;
};

// Thread: its loop's.
class GoogleCall final : public upstream::GrpcCall {
 public:
  explicit GoogleCall(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  void send(std::string_view message) override { stream_->send(message); }
  void finish() override { stream_->finish(); }
  bool connected() const override { return stream_->connected(); }
  size_t queued() const override { return stream_->queued(); }
  void let_go() override {
    stream_->leave();
    delete this;
  }

 private:
  const std::shared_ptr<Stream> stream_;
};

// Thread: its loop's.
class GoogleGrpcClient final : public upstream::GoogleClient {
 public:
  GoogleGrpcClient(const model::GoogleGrpc& service, event::Loop& loop, stats::Registry& registry,
                   stats::WorkerCells& cells)
      : registry_(registry),
        block_(registry.add_block<GoogleGrpcStat>("grpc." + service.stat_prefix + ".")),
        calls_(std::make_shared<Calls>(loop)),
        stub_(open_channel(service)) {
    calls_->counts = cells.block<GoogleGrpcStat>(block_);
    calls_->counts->inc(GoogleGrpcStat::kClientCreation);
  }
  // Its calls are gone, so that they are cancelled: gRPC ends them without waiting for anybody.
  ~GoogleGrpcClient() override {
    calls_->counts.reset();
    registry_.release_block(block_);
    std::unique_lock lock(calls_->mutex);
    calls_->left.wait(lock, [this] { return calls_->live == 0; });
  }

  upstream::GrpcCallPtr call(const GoogleCallOptions& options, GrpcUser& user) override {
    calls_->counts->inc(GoogleGrpcStat::kStreamsTotal);
    return upstream::GrpcCallPtr(new GoogleCall(Stream::open(calls_, stub_, options, user)));
  }

 private:
  stats::Registry& registry_;
  const stats::BlockId block_;
  const std::shared_ptr<Calls> calls_;
  grpc::GenericStub stub_;
};

// Thread: any.
class GoogleGrpcService final : public upstream::GoogleService {
 public:
  explicit GoogleGrpcService(model::GoogleGrpc service) : service_(std::move(service)) {}
  std::unique_ptr<upstream::GoogleClient> on_worker(upstream::WorkerLocal& local) const override {
    return make_google_client(service_, local.loop, local.registry, local.cells);
  }

 private:
  const model::GoogleGrpc service_;
};

}  // namespace

std::unique_ptr<upstream::GoogleClient> make_google_client(const model::GoogleGrpc& service, event::Loop& loop,
                                                           stats::Registry& registry, stats::WorkerCells& cells) {
  return std::make_unique<GoogleGrpcClient>(service, loop, registry, cells);
}

std::shared_ptr<const upstream::GoogleService> make_google_service(const model::GoogleGrpc& service) {
  return std::make_shared<const GoogleGrpcService>(service);
}

}  // namespace sluice::xds
