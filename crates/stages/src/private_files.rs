//! Files that hold what callers and bots said: for that user alone as whom the server runs, and in no other place than
//! where they seem to be.

use rustix::fs::OFlags;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Permissions of a file.
const FILE: u32 = 0o600;

/// Permissions of a folder.
const FOLDER: u32 = 0o700;

/// All permissions.
const ALL: u32 = 0o777;

/// Makes a folder and those above it, where they are not there. One that is there stays as it is, with a warning when
/// others may look into it.
///
/// # Errors
/// It cannot be made, or something else is there.
pub fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)?;
    let mode = path.metadata()?.permissions().mode() & ALL;
    if mode & !FOLDER != 0 {
        let mode = format!("{mode:o}");
        tracing::warn!(folder = %path.display(), mode, "others may look into this folder; its files are closed to them");
    }
    Ok(())
}

/// Opens a file to be read. A link is not followed.
///
/// # Errors
/// It is not there, is a link, or may not be read.
pub fn open(path: &Path) -> io::Result<File> {
    options().read(true).open(path)
}

/// Makes a file that is not there yet.
///
/// # Errors
/// There is one, or a link, or it may not be made.
pub fn create_new(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Opens a file to write at its end; makes it where it is not there. A link is not followed.
///
/// # Errors
/// It is a link, or may not be written.
pub fn append(path: &Path) -> io::Result<File> {
    options().create(true).append(true).open(path)
}

/// Writes the whole of a file that the user has named: what the name leads to is theirs to say.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)?.write_all(content)
}

/// Closes the files of a folder to others, whoever has made them: libraries know no permissions.
///
/// # Errors
/// They cannot be changed.
pub fn close_to_others(folder: &Path) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::set_permissions(entry.path(), Permissions::from_mode(FILE))?;
        }
    }
    Ok(())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // A pipe in the place of a file would have the thread wait for its other end.
    options.mode(FILE).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::path::PathBuf;

    /// A folder that is gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ringway-{name}-{}", std::process::id()));
            create_dir(&path).expect("a folder");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().expect("it is there").permissions().mode() & ALL
    }

    #[test]
    fn what_is_made_is_for_its_user_alone() {
        let folder = Folder::new("private");
        let (kept, made) = (folder.0.join("kept"), folder.0.join("made"));
        append(&kept).and_then(|mut file| file.write_all(b"one")).expect("written");
        append(&kept).and_then(|mut file| file.write_all(b"two")).expect("written");
        create_new(&made).expect("made");
        assert_eq!((mode(&folder.0), mode(&kept), mode(&made)), (0o700, 0o600, 0o600));
        let named = folder.0.join("named");
        write(&named, b"written").expect("written");
        let theirs = folder.0.join("theirs");
        std::fs::write(&theirs, "by a library").expect("written");
        close_to_others(&folder.0).expect("closed");
        assert_eq!((mode(&named), mode(&theirs)), (0o600, 0o600));
        let mut text = String::new();
        open(&kept).and_then(|mut file| file.read_to_string(&mut text)).expect("read");
        assert_eq!(text, "onetwo");
    }

    #[test]
    fn no_link_is_followed() {
        let folder = Folder::new("links");
        let (secret, link) = (folder.0.join("secret"), folder.0.join("link"));
        std::fs::write(&secret, "secret").expect("written");
        std::os::unix::fs::symlink(&secret, &link).expect("a link");
        assert!(open(&link).is_err() && append(&link).is_err() && create_new(&link).is_err());
        assert_eq!(std::fs::read_to_string(&secret).expect("read"), "secret");
    }
}
