//! ringway-ring
