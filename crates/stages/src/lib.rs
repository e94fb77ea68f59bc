//! ringway-stages
