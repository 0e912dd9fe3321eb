"""OpenPGP keys and signatures for the test mirror, made from a seed so that they are the same on every machine.

Version 4 packets (RFC 9580 sections 4 and 5) with Ed25519 (RFC 8032), enough for what a distribution's keyring holds:
certified user ids, signing subkeys, revocations, expiration. The secrets are derived from the names of the owners:
anybody can know them, and nothing but tests may trust them.
"""
import base64
import hashlib
import struct

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ED25519_OID = bytes.fromhex("092b06010401da470f01")
EDDSA, SHA512 = 22, 10
BINARY, CERTIFICATION, POSITIVE_CERTIFICATION, BINDING, BACK, KEY_REVOCATION = 0x00, 0x10, 0x13, 0x18, 0x19, 0x20
CERTIFY, SIGN = 1, 2


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiples():
    y = 4 * pow(5, -1, P) % P
    x = pow((y * y - 1) * pow(D * y * y + 1, -1, P), (P + 3) // 8, P)
    if (x * x - (y * y - 1) * pow(D * y * y + 1, -1, P)) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    point = (x, y, 1, x * y % P)
    for _ in range(256):
        yield point
        point = _add(point, point)


POWERS = list(_multiples())


def _base_times(scalar):
    point = (0, 1, 1, 0)
    for bit in range(256):
        if scalar >> bit & 1:
            point = _add(point, POWERS[bit])
    z = pow(point[2], -1, P)
    return (point[1] * z % P | (point[0] * z % P & 1) << 255).to_bytes(32, "little")


def _mpi(data):
    number = int.from_bytes(data, "big")
    return struct.pack(">H", number.bit_length()) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def packet(tag, body):
    """A packet with a new-format header and a one- or five-octet length."""
    length = len(body)
    size = bytes([length]) if length < 192 else struct.pack(">BI", 255, length)
    return bytes([0xC0 | tag]) + size + body


def _subpacket(number, data):
    length = 1 + len(data)
    return (bytes([length]) if length < 192 else struct.pack(">BI", 255, length)) + bytes([number]) + data


def armored(data):
    """ASCII armor (RFC 9580 section 6)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    text = base64.b64encode(data).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    check = base64.b64encode(crc.to_bytes(3, "big")).decode()
    return "\n".join(["-----BEGIN PGP PUBLIC KEY BLOCK-----", "", *lines, "=" + check,
                      "-----END PGP PUBLIC KEY BLOCK-----", ""])


class Key:
    """One Ed25519 key, primary or subkey."""

    def __init__(self, owner, created):
        secret = hashlib.sha512(hashlib.sha256(b"Diecast test key of " + owner.encode()).digest()).digest()
        scalar = int.from_bytes(secret[:32], "little")
        self.scalar = scalar & ~(7 | 1 << 255) | 1 << 254
        self.prefix = secret[32:]
        self.point = _base_times(self.scalar)
        self.created = created
        self.body = struct.pack(">BIB", 4, created, EDDSA) + ED25519_OID + _mpi(b"\x40" + self.point)
        self.framed = b"\x99" + struct.pack(">H", len(self.body)) + self.body
        self.fingerprint = hashlib.sha1(self.framed).digest()

    def sign(self, kind, content, created, *subpackets):
        """A signature packet over the content, which is framed as the kind of signature wants it."""
        area = b"".join(_subpacket(number, data) for number, data in
                        ((33, b"\x04" + self.fingerprint), (2, struct.pack(">I", created)), *subpackets))
        head = struct.pack(">BBBBH", 4, kind, EDDSA, SHA512, len(area)) + area
        digest = hashlib.sha512(content + head + struct.pack(">BBI", 4, 255, len(head))).digest()
        nonce = int.from_bytes(hashlib.sha512(self.prefix + digest).digest(), "little") % ORDER
        r = _base_times(nonce)
        challenge = int.from_bytes(hashlib.sha512(r + self.point + digest).digest(), "little")
        s = (nonce + challenge * self.scalar) % ORDER
        unhashed = b"\x09\x10" + self.fingerprint[-8:]
        return packet(2, head + struct.pack(">H", len(unhashed)) + unhashed + digest[:2]
                      + _mpi(r) + _mpi(s.to_bytes(32, "little")))


class Owner:
    """A person with a certificate: primary key, user id, certifications, and a signing subkey if asked for."""

    def __init__(self, name, created, subkey=False, lifetime=None, revoked=None):
        self.name, self.primary, self.created = name, Key(name, created), created
        self.subkey = Key(name + "'s signing subkey", created) if subkey else None
        self.user_id = f"Diecast Test {name} <{name}@diecast.test>".encode()
        self.lifetime, self.revoked = lifetime, revoked
        self.certifications = []

    @property
    def fingerprint(self):
        return self.primary.fingerprint.hex().upper()

    def certify(self, other, created):
        """Says that the other's key belongs to the other's user id."""
        other.certifications.append(self.primary.sign(CERTIFICATION, other._bound_user_id(), created))

    def sign(self, data, created):
        """A detached signature."""
        return (self.subkey or self.primary).sign(BINARY, data, created)

    def certificate(self):
        """The transferable public key (RFC 9580 section 10.1)."""
        flags = CERTIFY if self.subkey else CERTIFY | SIGN
        extra = [(9, struct.pack(">I", self.lifetime))] if self.lifetime else []
        parts = [packet(6, self.primary.body)]
        if self.revoked:
            # Reason 2: the key has been compromised.
            parts.append(self.primary.sign(KEY_REVOCATION, self.primary.framed, self.revoked, (29, b"\x02stolen")))
        parts += [packet(13, self.user_id),
                  self.primary.sign(POSITIVE_CERTIFICATION, self._bound_user_id(), self.created, (27, bytes([flags])), *extra),
                  *self.certifications]
        if self.subkey:
            pair = self.primary.framed + self.subkey.framed
            back = self.subkey.sign(BACK, pair, self.created)
            back = back[2:] if back[1] < 192 else back[6:]
            parts += [packet(14, self.subkey.body),
                      self.primary.sign(BINDING, pair, self.created, (27, bytes([SIGN])), (32, back))]
        return b"".join(parts)

    def _bound_user_id(self):
        return self.primary.framed + b"\xb4" + struct.pack(">I", len(self.user_id)) + self.user_id
