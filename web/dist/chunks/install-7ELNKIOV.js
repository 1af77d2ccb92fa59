import{a}from"./chunk-PY6Z3URV.js";import"./chunk-QHO5H65C.js";export{a as showInstall};
