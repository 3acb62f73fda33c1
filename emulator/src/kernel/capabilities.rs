//! Linux capabilities: which this process has, and giving them all up.

use std::io;

/// `CAP_SETGID`.
pub const SETGID: u32 = 6;
/// `CAP_SETUID`.
pub const SETUID: u32 = 7;
/// `CAP_SETFCAP`: without it a map may not hold uid 0 of the parent (Linux 5.12).
pub const SETFCAP: u32 = 31;

/// Whether this process has all of these in its effective set.
pub fn effective(wanted: &[u32]) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    wanted.iter().all(|capability| mask & (1 << capability) != 0)
}

/// From here on uid 0 brings no capabilities with it, now or in anything executed later. A program that carries some of its
/// own, as ping does, still gets those. Allocates nothing, so it may run between fork and exec.
pub fn make_root_ordinary() -> io::Result<()> {
    // SECBIT_NOROOT and its lock.
    const NO_ROOT: libc::c_ulong = 0b11;
    // SAFETY: prctl reads only these numbers.
    #[expect(unsafe_code, reason = "prctl has no safe wrapper for this")]
    let set = unsafe { libc::prctl(libc::PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives up every capability that this process holds: ambient, inheritable, permitted, effective. Allocates nothing.
pub fn drop_held() -> io::Result<()> {
    // struct __user_cap_header_struct: version 3, this thread; then two struct __user_cap_data_struct of zeroes.
    let header: [u32; 2] = [0x2008_0522, 0];
    let data = [0_u32; 6];
    // SAFETY: the kernel reads a header and the two data structures that version 3 asks for.
    #[expect(unsafe_code, reason = "capset has no safe wrapper without another dependency")]
    let result = unsafe {
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
