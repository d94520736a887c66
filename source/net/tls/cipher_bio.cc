#include "net/tls/cipher_bio.h"

#include <algorithm>
#include <cstring>

namespace sluice::net::tls {

namespace {
constexpr size_t kFirstCapacity = 160 * 1024;  // a flight of records; certificate chains may make it grow
}

CipherBio& CipherBio::of_thread() {
  thread_local CipherBio bio;
  return bio;
}

CipherBio::CipherBio()
    : plain(new char[kRecord]), bio_(BIO_new(method())), bytes_(new char[kFirstCapacity]), capacity_(kFirstCapacity) {
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

CipherBio::~CipherBio() {
  BIO_set_data(bio_, nullptr);
  BIO_free(bio_);
}

BIO* CipherBio::reference() {
  BIO_up_ref(bio_);
  return bio_;
}

const BIO_METHOD* CipherBio::method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "records");
    BIO_meth_set_read(made, on_read);
    BIO_meth_set_write(made, on_write);
    BIO_meth_set_ctrl(made, on_control);
    return made;
  }();
  return method;
}

int CipherBio::on_read(BIO* bio, char* to, int count) {
  BIO_clear_retry_flags(bio);
  auto* self = static_cast<CipherBio*>(BIO_get_data(bio));
  if (self == nullptr || self->in_ == nullptr || self->in_->empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t size = self->in_->copy_out(to, static_cast<size_t>(count));
  self->in_->drain(size);
  return static_cast<int>(size);
}

int CipherBio::on_write(BIO* bio, const char* from, int count) {
  BIO_clear_retry_flags(bio);
  auto* self = static_cast<CipherBio*>(BIO_get_data(bio));
  if (self == nullptr) {
    return -1;
  }
  const auto size = static_cast<size_t>(count);
  if (self->size + size > self->capacity_) {
    const size_t capacity = std::max(self->capacity_ * 2, self->size + size);
    std::unique_ptr<char[]> bytes(new char[capacity]);
    std::memcpy(bytes.get(), self->bytes_.get(), self->size);
    self->bytes_ = std::move(bytes);
    self->capacity_ = capacity;
  }
  std::memcpy(self->bytes_.get() + self->size, from, size);
  self->size += size;
  return count;
}

long CipherBio::on_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace sluice::net::tls
