import{a}from"./chunk-SGCYY52M.js";import"./chunk-NULVYSTY.js";import"./chunk-3LGTVSS6.js";export{a as showInstall};
